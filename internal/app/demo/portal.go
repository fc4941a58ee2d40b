package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/app/valmont"
	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/portal"
	"github.com/amphi-campus/amphi/internal/modules/portal/feed"
	"github.com/amphi-campus/amphi/internal/modules/portal/help"
	"github.com/amphi-campus/amphi/internal/modules/portal/news"
)

// Portal is what an administrator of Valmont would write in [portal].
func Portal(u *valmont.University, c portal.Config) portal.Config {
	for _, a := range u.Help {
		c.Help.Articles = append(c.Help.Articles, help.Article{
			ID: a.ID, QuestionFrench: a.Question.French, QuestionEnglish: a.Question.English,
			AnswerFrench: a.Answer.French, AnswerEnglish: a.Answer.English, Keywords: a.Keywords,
		})
	}
	for _, where := range u.Campuses {
		for _, d := range where.Desks {
			c.Help.Desks = append(c.Help.Desks, help.Desk{
				NameFrench: d.Name.French, NameEnglish: d.Name.English, CampusFrench: where.Name.French, CampusEnglish: where.Name.English,
				Room: d.Room, Phone: d.Phone, Mail: d.Mail, BringFrench: d.Bring.French, BringEnglish: d.Bring.English,
				HoursFrench: d.Hours.Lines(campus.French), HoursEnglish: d.Hours.Lines(campus.English),
			})
		}
	}
	if first := u.Campuses[0].Desks; len(first) > 0 {
		c.Help.Phone, c.Help.Mail = first[0].Phone, first[0].Mail
	}
	c.Feeds = []feed.Source{{ID: "campus", NameFrench: u.Feed.Title, URL: u.Feed.Link + "/feed.xml"}}
	return c
}

// CampusSite stands for the web site of one campus: it answers every request
// with the site's feed, so that the demo reads a real feed without a network.
type CampusSite struct{ Feed valmont.Feed }

// RoundTrip implements http.RoundTripper.
func (s CampusSite) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := s.Feed.RSS(time.Now())
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/rss+xml; charset=utf-8"}},
		Body:   io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

// seedPortal fills the hall: news with pictures, notifications, pinned services.
func (h Rooms) seedPortal(ctx context.Context, u *valmont.University, people map[string]campus.PersonID) error {
	now := time.Now()
	pictures := map[string]news.Picture{}
	for _, p := range u.Pictures {
		kept, err := h.Portal.Desk().ImportPicture(ctx, people["admin"], bytes.NewReader(p.Data), p.FileName())
		if err != nil {
			return fmt.Errorf("keep the picture %s: %w", p.Name, err)
		}
		kept.Alt = news.Text(p.Alt)
		pictures[p.Name] = kept
	}
	articles := map[string]string{}
	for _, a := range u.News {
		content := news.Content{
			Title: news.Text(a.Title), Summary: news.Text(a.Summary), Body: news.Text(a.Body), Source: news.Text(a.Source),
			Audience: a.Audience, Public: a.Audience.Everybody(), Picture: pictures[a.Picture], PublishAt: a.At(now),
		}
		bring := h.Portal.Publish
		if a.Draft {
			bring, content.PublishAt = h.Portal.Draft, time.Time{}
		}
		id, err := bring(ctx, "valmont."+a.ID, people[a.Author], content)
		if err != nil {
			return fmt.Errorf("bring in the article %s: %w", a.ID, err)
		}
		articles[a.ID] = id
	}
	for i, n := range append(u.Notices, u.Welcome...) {
		if err := h.seedNotice(ctx, fmt.Sprintf("valmont.%d", i), n, u, people, articles, now); err != nil {
			return err
		}
	}
	for _, p := range u.People {
		if p.Demo {
			if err := h.Portal.Pin(ctx, people[p.Login], "sso.moodle", "sso.timetable", "sso.mail", "sso.library"); err != nil {
				return fmt.Errorf("pin services: %w", err)
			}
		}
	}
	return h.Portal.VisitFeeds(ctx)
}

// seedNotice gives one notice to the people that it names, or to the demo
// sign-ins of its audience.
func (h Rooms) seedNotice(ctx context.Context, key string, n valmont.Notice, u *valmont.University, people map[string]campus.PersonID, articles map[string]string, now time.Time) error {
	notice := contract.Notice{
		Room: "portal", Key: key, Icon: "bell", Tone: n.Tone,
		TitleFrench: n.Title.French, TitleEnglish: n.Title.English, DetailFrench: n.Body.French, DetailEnglish: n.Body.English,
	}
	switch {
	case n.Service != "":
		notice.URL = "/portal/services/sso." + n.Service + "/open"
	case n.News != "":
		notice.URL = "/portal/news/" + articles[n.News]
	}
	for _, p := range u.People {
		named := false
		for _, login := range n.To {
			named = named || login == p.Login
		}
		if !named && (len(n.To) > 0 || !p.Demo || !n.Audience.Admits(campus.Viewer{Affiliations: p.Affiliations, Rights: p.Rights})) {
			continue
		}
		if err := h.Portal.NotifyOnce(ctx, people[p.Login], notice, n.Age.From(now), n.Read); err != nil {
			return fmt.Errorf("notify %s: %w", p.Login, err)
		}
	}
	return nil
}
