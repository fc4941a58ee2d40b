// Command drawing draws the pictures of Valmont's news in the look of the
// product: arcs, ink blue and a warm light. Run it with `go generate` in the
// folder above; the same program always writes the same files.
package main

import (
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"

	"golang.org/x/image/draw"
)

func main() {
	for name, scene := range map[string]func() canvas{
		"library":      library,
		"horizon":      horizon,
		"amphitheatre": amphitheatre,
		"harbour":      harbour,
		"track":        track,
		"network":      network,
	} {
		if err := write(filepath.Join("pictures", name+".jpg"), scene()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func write(path string, c canvas) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	// Drawn larger and scaled down, edges stay fine and the file small.
	final := image.NewRGBA(image.Rect(0, 0, 960, 540))
	draw.CatmullRom.Scale(final, final.Bounds(), c.img, c.img.Bounds(), draw.Src, nil)
	if err := jpeg.Encode(file, final, &jpeg.Options{Quality: 80}); err != nil {
		file.Close() // the encoding error says more
		return fmt.Errorf("write %s: %w", path, err)
	}
	return file.Close()
}
