package bulk

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/bulk/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// ordersSize is how many orders a page lists.
const ordersSize = 30

// ordersView is the list of orders, newest first.
type ordersView struct {
	List  []Order
	Names map[campus.PersonID]string
	Pages ui.PagerProps
}

// ordersPage lists the orders that the viewer may open.
func (x *Bulk) ordersPage(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), web.Viewer(r)
	author := string(by.Person)
	if by.Can(campus.RightSecretariat) {
		author = ""
	}
	q := sqlgen.New(x.DB.Read())
	total, err := q.CountOrders(ctx, author)
	if err != nil {
		return fmt.Errorf("count the orders: %w", err)
	}
	pages, page := max(1, (int(total)+ordersSize-1)/ordersSize), 1
	if n, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil && n > 0 {
		page = min(n, pages)
	}
	rows, err := q.Orders(ctx, sqlgen.OrdersParams{Author: author, Size: ordersSize, Skip: int32((page - 1) * ordersSize)})
	if err != nil {
		return fmt.Errorf("list the orders: %w", err)
	}
	view := ordersView{Names: map[campus.PersonID]string{}, Pages: ui.PagerProps{Page: page, Pages: pages, URL: func(n int) string {
		return "/identity/bulk?page=" + strconv.Itoa(n)
	}}}
	for _, row := range rows {
		o := orderOf(row)
		view.List = append(view.List, o)
		if _, ok := view.Names[o.AskedBy]; ok {
			continue
		}
		if view.Names[o.AskedBy], err = x.nameOf(ctx, o.AskedBy); err != nil {
			return err
		}
	}
	return web.Render(w, r, http.StatusOK, ordersTempl(view))
}
