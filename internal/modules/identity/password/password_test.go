package password

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// cheap keeps the tests quick; the cost is not what they are about.
var cheap = Params{Memory: 64, Time: 1, Threads: 1}

func TestAPasswordIsRecognisedAndAnotherIsNot(t *testing.T) {
	stored := Hash("Amphi-demo-2026!", cheap)
	for _, c := range []struct {
		name, typed string
		want        bool
	}{
		{"the same", "Amphi-demo-2026!", true},
		{"another case", "amphi-demo-2026!", false},
		{"a space more", "Amphi-demo-2026! ", false},
		{"nothing", "", false},
	} {
		if ok, outdated, err := Verify(stored, c.typed, cheap); err != nil || ok != c.want || outdated {
			t.Errorf("%s: got %v, outdated %v, %v", c.name, ok, outdated, err)
		}
	}
}

func TestADummyIsCheckedLikeAHashAndNeverMatches(t *testing.T) {
	for _, typed := range []string{"", "x", linesOf("x")} {
		if ok, outdated, err := Verify(Dummy(cheap), typed, cheap); ok || outdated || err != nil {
			t.Errorf("%q: %v, %v, %v", typed, ok, outdated, err)
		}
	}
}

func linesOf(s string) string { return strings.Repeat(s+"\n", 50) }

func TestComposedAndDecomposedAccentsAreOnePassword(t *testing.T) {
	stored := Hash("pass\u00e9", cheap) // é in one character
	if ok, _, _ := Verify(stored, "passe\u0301", cheap); !ok {
		t.Error("e followed by a combining accent was refused")
	}
}

func TestAHashMadeWithOtherParametersIsOutdated(t *testing.T) {
	stored := Hash("x", cheap)
	if ok, outdated, _ := Verify(stored, "x", Params{Memory: 128, Time: 1, Threads: 1}); !ok || !outdated {
		t.Errorf("got ok %v outdated %v", ok, outdated)
	}
}

func TestADamagedHashIsAnErrorAndNeverAMatch(t *testing.T) {
	good := Hash("x", cheap)
	for name, stored := range map[string]string{
		"empty":           "",
		"another scheme":  "$2a$10$abcdefghijklmnopqrstuv",
		"cut short":       good[:len(good)-4],
		"too much memory": strings.Replace(good, "m=64", "m=99999999", 1),
		"no lanes":        strings.Replace(good, "p=1", "p=0", 1),
		"another version": strings.Replace(good, "v=19", "v=16", 1),
	} {
		if ok, _, err := Verify(stored, "x", cheap); ok || !errors.Is(err, ErrFormat) {
			t.Errorf("%s: got %v, %v", name, ok, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(Hash("x", cheap))
	f.Add("$argon2id$v=19$m=1,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, stored string) {
		p, salt, key, err := decode(stored)
		if err != nil {
			return
		}
		if again, _, _, err := decode(encode(p, salt, key)); err != nil || again != p {
			t.Errorf("%q does not survive a round trip", stored)
		}
	})
}

func TestTheLineIsServedInOrder(t *testing.T) {
	q := NewQueue(1, 50)
	var order []int
	for i := range 50 {
		if _, err := q.Join(func() { order = append(order, i) }); err != nil {
			t.Fatal(err)
		}
	}
	q.Stop()
	if len(order) != 50 || !slices.IsSorted(order) {
		t.Errorf("served in the order %v", order)
	}
}

func TestNeverMoreAreServedAtOnceThanThereAreWorkers(t *testing.T) {
	q := NewQueue(2, 1000)
	defer q.Stop()
	var atOnce, most atomic.Int32
	gate := make(chan struct{})
	var tickets []*Ticket
	for range 50 {
		ticket, err := q.Join(func() {
			if n := atOnce.Add(1); n > most.Load() {
				most.Store(n)
			}
			<-gate
			atOnce.Add(-1)
		})
		if err != nil {
			t.Fatal(err)
		}
		tickets = append(tickets, ticket)
	}
	for place, _ := tickets[1].Place(); place != 0; place, _ = tickets[1].Place() {
		time.Sleep(time.Millisecond)
	}
	if place, wait := tickets[49].Place(); place != 48 || wait <= 0 {
		t.Errorf("the last one was told place %d, %v", place, wait)
	}
	close(gate)
	for _, ticket := range tickets {
		<-ticket.Done()
	}
	if most.Load() > 2 {
		t.Errorf("%d ran at once", most.Load())
	}
}

func TestAFullLineRefusesAndAStoppedOneServesThoseWhoWait(t *testing.T) {
	q := NewQueue(1, 2)
	gate, started := make(chan struct{}), make(chan struct{})
	if _, err := q.Join(func() { close(started); <-gate }); err != nil {
		t.Fatal(err)
	}
	<-started
	var served atomic.Int32
	for range 2 {
		if _, err := q.Join(func() { served.Add(1) }); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := q.Join(func() {}); !errors.Is(err, ErrFull) {
		t.Errorf("got %v", err)
	}
	close(gate)
	q.Stop()
	if served.Load() != 2 {
		t.Errorf("%d of 2 were served", served.Load())
	}
	if _, err := q.Join(func() {}); !errors.Is(err, ErrStopped) {
		t.Errorf("got %v", err)
	}
}

// held is a queue whose one worker is busy until open is called.
func held(t *testing.T, limit int) (q *Queue, open func()) {
	t.Helper()
	q = NewQueue(1, limit)
	gate, started := make(chan struct{}), make(chan struct{})
	if _, err := q.Join(func() { close(started); <-gate }); err != nil {
		t.Fatal(err)
	}
	<-started
	return q, func() { close(gate) }
}

func TestALongLineOfStrangersDoesNotHoldUpThoseWhoLiveHere(t *testing.T) {
	q, open := held(t, 4)
	var order []string
	join := func(lane Lane, who string, work func()) *Ticket {
		ticket, err := q.JoinLane(always(lane), "", work)
		if err != nil {
			t.Fatalf("%s: %v", who, err)
		}
		return ticket
	}
	listed := func(who string) func() { return func() { order = append(order, who) } }
	var attacker *Ticket
	for range 4 {
		attacker = join(Doubtful, "attacker", listed("attacker"))
	}
	<-join(Ordinary, "newcomer", func() {}).Done() // under attack they have a worker for themselves
	busy := make(chan struct{})
	taken := make(chan struct{})
	join(Ordinary, "newcomer", func() { close(taken); <-busy }) // which is busy now
	<-taken
	first := join(Ordinary, "newcomer", listed("newcomer"))
	last := join(Ordinary, "newcomer", listed("newcomer"))
	if _, err := q.JoinLane(always(Doubtful), "", func() {}); !errors.Is(err, ErrFull) {
		t.Errorf("the full lane said %v", err)
	}
	if place, _ := last.Place(); place > 4 {
		t.Errorf("the last newcomer was told place %d", place)
	}
	<-join(Known, "resident", func() {}).Done() // although all other workers are busy
	open()
	<-first.Done()
	<-last.Done()
	<-attacker.Done()
	close(busy)
	q.Stop()
	at := func(who string) (places []int) {
		for i, served := range order {
			if served == who {
				places = append(places, i)
			}
		}
		return places
	}
	if n := at("newcomer"); len(n) != 2 || n[1] > 2 {
		t.Errorf("newcomers were served at %v of %v", n, order)
	}
	if a := at("attacker"); len(a) != 4 || a[0] > 3 {
		t.Errorf("attackers were served at %v of %v: nobody waits for ever", a, order)
	}
}

func TestWithoutAnAttackNoMoreAreServedThanTheWorkersSay(t *testing.T) {
	q, open := held(t, 4)
	ticket, err := q.Join(func() {})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-ticket.Done():
		t.Error("a storm is served faster than pages can bear")
	case <-time.After(50 * time.Millisecond):
	}
	open()
	q.Stop()
	select {
	case <-ticket.Done():
	default:
		t.Error("who waited is not served to the end")
	}
}

func TestWhoComesAloneDoesNotWaitForAllThatOthersSendAtOnce(t *testing.T) {
	q, open := held(t, 200)
	var order []string
	join := func(from string) *Ticket {
		ticket, err := q.JoinLane(always(Ordinary), from, func() { order = append(order, from) })
		if err != nil {
			t.Fatal(err)
		}
		return ticket
	}
	for range 50 {
		join("one crowd")
		join("another crowd")
	}
	alone := join("alone")
	join("one crowd")
	q.lines[Ordinary].counted = time.Time{} // as if the last count were long ago
	if place, _ := alone.Place(); place != 3 {
		t.Errorf("who comes alone was told place %d", place)
	}
	open()
	q.Stop()
	if i := slices.Index(order, "alone"); i != 2 {
		t.Errorf("who comes alone was served after %d others", i)
	}
	if last := order[len(order)-1]; last != "one crowd" || len(order) != 102 {
		t.Errorf("%d were served, the last of them of %s", len(order), last)
	}
	if left := q.lines[Ordinary].last; len(left) != 0 {
		t.Errorf("the line remembers %v although nobody waits", left)
	}
}

// always is a lane that nothing changes.
func always(l Lane) func() Lane { return func() Lane { return l } }

func TestWhoIsDoubtedWhileTheyWaitLeavesTheOrdinaryLane(t *testing.T) {
	q, open := held(t, 200)
	var mu sync.Mutex // two workers may serve at once
	var order []string
	var doubted atomic.Bool
	join := func(from string, lane func() Lane) *Ticket {
		ticket, err := q.JoinLane(lane, from, func() {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, from)
		})
		if err != nil {
			t.Fatal(err)
		}
		return ticket
	}
	var last *Ticket
	for i := range 20 { // each of another network, so that rounds protect nobody
		last = join(fmt.Sprint("attack ", i), func() Lane {
			if doubted.Load() {
				return Doubtful
			}
			return Ordinary
		})
	}
	join("alone", always(Ordinary))
	doubted.Store(true)
	open()
	<-last.Done() // doubtful work is not forgotten
	q.Stop()
	if i := slices.Index(order, "alone"); i > 1 || len(order) != 21 {
		t.Errorf("who comes alone was served after %d of %d", i, len(order))
	}
}

func TestDoubtfulWorkRestsForAsLongAsItTook(t *testing.T) {
	q := NewQueue(2, 10)
	defer q.Stop()
	const takes = 20 * time.Millisecond
	var began [3]time.Time
	var last *Ticket
	for i := range began {
		var err error
		last, err = q.JoinLane(always(Doubtful), "", func() {
			began[i] = time.Now()
			time.Sleep(takes)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	<-last.Done()
	for i := range began[1:] {
		if pause := began[i+1].Sub(began[i]); pause < 2*takes {
			t.Errorf("%s after the one before, which took %s", pause, takes)
		}
	}
}

func TestDoubtfulWorkLeavesHalfOfTheWorkersToOthersAndIsServedToItsEnd(t *testing.T) {
	q := NewQueue(2, 10)
	var atOnce, most, served atomic.Int32
	gate := make(chan struct{})
	for range 4 {
		if _, err := q.JoinLane(always(Doubtful), "", func() {
			most.Store(max(most.Load(), atOnce.Add(1)))
			<-gate
			atOnce.Add(-1)
			served.Add(1)
		}); err != nil {
			t.Fatal(err)
		}
	}
	resident, err := q.JoinLane(always(Known), "", func() {})
	if err != nil {
		t.Fatal(err)
	}
	<-resident.Done() // although nobody lets the doubtful ones go on
	close(gate)
	q.Stop()
	if most.Load() != 1 || served.Load() != 4 {
		t.Errorf("%d of 4 were served, %d at once", served.Load(), most.Load())
	}
}
