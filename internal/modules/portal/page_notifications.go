package portal

import (
	"net/http"
	"strconv"

	"github.com/amphi-campus/amphi/internal/modules/portal/bell"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// notificationsView is one page of somebody's notifications.
type notificationsView struct {
	List        []bell.Notification
	Unread      int
	Page, Pages int
}

func (m *Module) notificationsPage(w http.ResponseWriter, r *http.Request) error {
	v := web.Viewer(r)
	page := pageOf(r)
	list, total, err := m.bell.Page(r.Context(), v.Person, page)
	if err != nil {
		return err
	}
	unread, err := m.Unread(r.Context(), v.Person)
	if err != nil {
		return err
	}
	view := notificationsView{List: list, Unread: unread, Page: page, Pages: pages(total, bell.PageSize)}
	if view.Page > view.Pages { // the list became shorter
		return web.SeeOther(w, r, "/portal/notifications")
	}
	return web.Render(w, r, http.StatusOK, notificationsTempl(view))
}

// openNotification reads one and leads to what it is about. The address was
// checked when a room wrote it.
func (m *Module) openNotification(w http.ResponseWriter, r *http.Request) error {
	n, err := m.bell.Read(r.Context(), web.Viewer(r).Person, r.PathValue("id"))
	if err != nil {
		return err
	}
	if n.Notice.URL == "" {
		return web.SeeOther(w, r, "/portal/notifications")
	}
	return web.SeeOther(w, r, n.Notice.URL)
}

func (m *Module) markNotification(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	if err := m.bell.Mark(r.Context(), web.Viewer(r).Person, r.PathValue("id"), form.Get("as") != "unread"); err != nil {
		return err
	}
	to := "/portal/notifications"
	switch next := form.Get("next"); {
	case next == "/":
		to = "/"
	case next != "":
		if page, err := strconv.Atoi(next); err == nil && page > 1 && page < maxPage {
			to += "?page=" + strconv.Itoa(page)
		}
	}
	return web.SeeOther(w, r, to)
}

func (m *Module) readAllNotifications(w http.ResponseWriter, r *http.Request) error {
	n, err := m.bell.MarkAll(r.Context(), web.Viewer(r).Person)
	if err != nil {
		return err
	}
	web.Flash(w, r, "portal.notifications.marked", "number", strconv.FormatInt(n, 10))
	return web.SeeOther(w, r, "/portal/notifications")
}

// pageURL is the address of a page of notifications.
func (v notificationsView) pageURL(page int) string {
	return "/portal/notifications?page=" + strconv.Itoa(page)
}
