// Pictures beside a message: pasted, dropped, or taken of the screen. Without this
// script the file field does the same by hand.
const mostFiles = 20;

const ready = () => {
  for (const box of document.querySelectorAll("[data-pictures]:not([data-ready])")) {
    box.dataset.ready = "yes";
    const input = box.querySelector('input[type="file"]');
    const tools = document.createElement("div");
    tools.className = "picture-tools";
    if (navigator.mediaDevices?.getDisplayMedia) {
      const take = document.createElement("button");
      take.type = "button";
      take.className = "button quiet";
      take.textContent = box.dataset.capture;
      take.addEventListener("click", () => capture(input));
      tools.append(take);
    }
    const hint = document.createElement("p");
    hint.className = "help";
    hint.textContent = box.dataset.paste;
    const list = document.createElement("ul");
    list.className = "files";
    list.setAttribute("aria-live", "polite");
    tools.append(hint);
    box.append(tools, list);
    input.addEventListener("change", () => show(box, input, list));
    box.addEventListener("dragover", (event) => { event.preventDefault(); box.classList.add("over"); });
    box.addEventListener("dragleave", () => box.classList.remove("over"));
    box.addEventListener("drop", (event) => {
      event.preventDefault();
      box.classList.remove("over");
      add(input, event.dataTransfer.files);
    });
    box.closest("form").addEventListener("paste", (event) => {
      if (event.clipboardData.files.length === 0) return;
      event.preventDefault();
      add(input, event.clipboardData.files);
    });
  }
};

// hold puts files into the field: a form sends what its fields hold.
const hold = (input, files) => {
  const all = new DataTransfer();
  for (const file of [...files].slice(0, mostFiles)) all.items.add(file);
  input.files = all.files;
  input.dispatchEvent(new Event("change"));
};

const add = (input, files) => hold(input, [...input.files, ...files]);

const show = (box, input, list) => {
  for (const picture of list.querySelectorAll("img")) URL.revokeObjectURL(picture.src);
  list.replaceChildren(...[...input.files].map((file, i) => {
    const line = document.createElement("li");
    const name = document.createElement("span");
    name.textContent = file.name;
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "text-button";
    remove.textContent = box.dataset.remove;
    remove.setAttribute("aria-label", `${box.dataset.remove} ${file.name}`);
    remove.addEventListener("click", () => hold(input, [...input.files].filter((_, n) => n !== i)));
    line.append(name, remove);
    return line;
  }));
};

// capture asks for a screen or a window, takes one picture of it and lets it go.
const capture = async (input) => {
  let stream;
  try {
    stream = await navigator.mediaDevices.getDisplayMedia({ video: true });
  } catch {
    return; // they changed their mind
  }
  try {
    const video = document.createElement("video");
    video.srcObject = stream;
    await video.play();
    await new Promise((done) => setTimeout(done, 300)); // until the dialogue is gone
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
    if (blob) add(input, [new File([blob], "capture.png", { type: "image/png" })]);
  } finally {
    for (const track of stream.getTracks()) track.stop();
  }
};

document.addEventListener("DOMContentLoaded", ready);
document.addEventListener("htmx:after:settle", ready);
ready();
