package portal

import (
	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Routes lists every address of the room. The home page, the search and the
// language have addresses of their own, because people type them.
func (m *Module) Routes(r *web.Router) {
	r.Handle("GET /{$}", m.homePage)
	r.Handle("GET /search", m.searchPage)

	r.Handle("GET /portal/services", m.servicesPage)
	r.Handle("GET /portal/services/{id}/open", m.openService)
	r.Handle("POST /portal/services/{id}/pin", m.pinService)
	r.Handle("POST /portal/services/{id}/unpin", m.unpinService)
	r.Handle("POST /portal/services/{id}/move", m.moveService)

	r.Handle("GET /portal/news", m.newsPage)
	r.Handle("GET /portal/news.rss", m.newsFeed, web.Public)
	r.Handle("GET /portal/news/{id}", m.articlePage, web.Public)          // decides by article
	r.Handle("GET /portal/news/pictures/{id}", m.pictureFile, web.Public) // decides by article

	publishers := web.Needs(campus.RightNews)
	upload := web.BodyLimit(m.config.MaxPicture + 1<<20)
	r.Handle("GET /portal/desk", m.deskPage, publishers)
	r.Handle("GET /portal/desk/new", m.newArticlePage, publishers)
	r.Handle("POST /portal/desk/new", m.writeArticle, publishers, upload)
	r.Handle("GET /portal/desk/{id}", m.editArticlePage, publishers)
	r.Handle("POST /portal/desk/{id}", m.changeArticle, publishers, upload)
	r.Handle("POST /portal/desk/{id}/steps/{step}", m.takeStep, publishers)
	r.Handle("GET /portal/desk/{id}/delete", m.deleteArticlePage, publishers)
	r.Handle("POST /portal/desk/{id}/delete", m.deleteArticle, publishers)

	r.Handle("GET /portal/notifications", m.notificationsPage)
	r.Handle("POST /portal/notifications/read-all", m.readAllNotifications)
	r.Handle("GET /portal/notifications/{id}/open", m.openNotification)
	r.Handle("POST /portal/notifications/{id}/mark", m.markNotification)

	r.Handle("GET /portal/profile", m.profilePage)
	r.Handle("POST /portal/preferences", m.savePreferences)

	r.Handle("GET /portal/help", m.helpPage, web.Public)
	r.Handle("GET /portal/help/{id}", m.helpArticlePage, web.Public)
	r.Handle("GET /portal/accessibility", m.accessibilityPage, web.Public)
	r.Handle("POST /portal/language", m.chooseLanguage, web.Public)
	r.Handle("GET /language/{tag}", m.followLanguage, web.Public)
}
