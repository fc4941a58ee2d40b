package scim

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/directory/push"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
)

// query is a question for resources (RFC 7644 §3.4.2).
type query struct {
	filter     filter // nil for all
	start      int    // from 1
	count      int
	sort       path
	sorted     bool
	descending bool
	selection  selection
}

// mostResults is how many resources one answer has at most; usualResults when the client
// does not say.
const mostResults, usualResults = 500, 100

// readQuery reads the parameters of a list.
func (t resourceType) readQuery(v url.Values) (q query, err error) {
	if raw := v.Get("filter"); raw != "" {
		if q.filter, err = t.parseFilter(raw); err != nil {
			return q, err
		}
	}
	number := func(name string, usual int) (int, error) {
		raw := v.Get(name)
		if raw == "" {
			return usual, nil
		}
		n, err := strconv.Atoi(raw)
		if err != nil {
			return 0, refuse(400, "invalidValue", name+" must be a number")
		}
		return n, nil
	}
	if q.start, err = number("startIndex", 1); err != nil {
		return q, err
	}
	if q.count, err = number("count", usualResults); err != nil {
		return q, err
	}
	q.start, q.count = max(1, q.start), min(max(0, q.count), mostResults) // §3.4.2.4
	if raw := v.Get("sortBy"); raw != "" {
		if q.sort, q.sorted = t.resolve(raw); !q.sorted {
			return q, refuse(400, "invalidPath", fmt.Sprintf("there is no attribute %q", raw))
		}
		q.descending = strings.EqualFold(v.Get("sortOrder"), "descending")
	}
	q.selection, err = t.selected(names(v.Get("attributes")), names(v.Get("excludedAttributes")))
	return q, err
}

// found is one page of an answer.
type found struct {
	total     int
	resources []map[string]any
}

// scanned is how many resources are read at once when no index answers.
const scanned = 500

// list answers a query.
func (s *Server) list(ctx context.Context, t resourceType, src, base string, q query) (found, error) {
	if q.filter == nil && !q.sorted {
		return s.page(ctx, t, src, base, q)
	}
	var hits []map[string]any
	total := 0
	take := func(list []push.Resource) error {
		for _, r := range list {
			resource, err := t.shown(r, base)
			if err != nil {
				return err
			}
			if q.filter != nil && !q.filter.admits(resource) {
				continue
			}
			total++
			if q.sorted || total >= q.start && len(hits) < q.count {
				hits = append(hits, resource)
			}
		}
		return nil
	}
	if few, ok, err := s.indexed(ctx, t, src, q.filter); err != nil {
		return found{}, err
	} else if ok {
		if err := take(few); err != nil {
			return found{}, err
		}
	} else {
		for after := ""; ; {
			some, err := s.Door.After(ctx, src, t.kind(), after, scanned)
			if err != nil {
				return found{}, err
			}
			if err := take(some); err != nil {
				return found{}, err
			}
			if len(some) < scanned {
				break
			}
			after = some[len(some)-1].ID
		}
	}
	if q.sorted {
		slices.SortStableFunc(hits, func(a, b map[string]any) int {
			order := strings.Compare(q.sortKey(a), q.sortKey(b))
			if q.descending {
				return -order
			}
			return order
		})
		hits = hits[min(q.start-1, len(hits)):]
		hits = hits[:min(q.count, len(hits))]
	}
	return q.answer(total, hits), nil
}

// sortKey is what a resource is sorted by: the primary value of several, or the first.
func (q query) sortKey(resource map[string]any) string {
	best := ""
	for i, v := range listOf(q.sort.in(resource)) {
		element, isComplex := v.(map[string]any)
		if isComplex {
			v = element["value"]
		}
		if i == 0 || isComplex && element["primary"] == true {
			best = fmt.Sprint(v)
		}
	}
	if !q.sort.leaf().CaseExact {
		best = strings.ToLower(best)
	}
	return best
}

// page is a page of everything, in the order of the identifiers.
func (s *Server) page(ctx context.Context, t resourceType, src, base string, q query) (found, error) {
	total, err := s.Door.Count(ctx, src, t.kind())
	if err != nil || q.count == 0 {
		return q.answer(total, nil), err
	}
	list, err := s.Door.From(ctx, src, t.kind(), q.start-1, q.count)
	if err != nil {
		return found{}, err
	}
	var resources []map[string]any
	for _, r := range list {
		resource, err := t.shown(r, base)
		if err != nil {
			return found{}, err
		}
		resources = append(resources, resource)
	}
	return q.answer(total, resources), nil
}

// indexed are the resources among which a filter can find its own, when an index knows
// them: clients look for everybody by user name or by their own identifier.
func (s *Server) indexed(ctx context.Context, t resourceType, src string, f filter) ([]push.Resource, bool, error) {
	if name, ok := key(f, "userName"); ok && t.name == users.name {
		list, err := s.Door.ByName(ctx, src, t.kind(), strings.ToLower(name))
		return list, true, err
	}
	if name, ok := key(f, "externalId"); ok && name != "" {
		list, err := s.Door.ByExternalID(ctx, src, t.kind(), name)
		return list, true, err
	}
	if id, ok := key(f, "id"); ok {
		r, err := s.Door.Get(ctx, src, t.kind(), id)
		if isMissing(err) {
			return nil, true, nil
		}
		return []push.Resource{r}, true, err
	}
	return nil, false, nil
}

func (q query) answer(total int, resources []map[string]any) found {
	for i := range resources {
		resources[i] = q.selection.of(resources[i])
	}
	return found{total, resources}
}

// kind is that of the records of a type.
func (t resourceType) kind() source.Kind {
	if t.name == groups.name {
		return source.Group
	}
	return source.Person
}
