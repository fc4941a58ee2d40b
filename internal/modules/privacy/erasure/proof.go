package erasure

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/privacy/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Proof is one line of the chain of what was erased.
type Proof struct {
	Seq     int64
	Erasure string
	At      time.Time
	Facts   Facts
}

// Facts are what a proof says; nothing of it names the person.
type Facts struct {
	Cause     string    `json:"cause"`
	Request   string    `json:"request,omitempty"`
	Rule      string    `json:"rule,omitempty"`
	OrderedBy string    `json:"ordered_by,omitempty"` // a PersonID; empty: by policy
	OrderedAt time.Time `json:"ordered_at"`
	Steps     []Step    `json:"steps"`
	// Elsewhere is what programs outside the house were asked to remove; of a proof
	// that came later, what they have confirmed since.
	Elsewhere []Elsewhere `json:"elsewhere,omitempty"`
	// Of is the number of the proof that this one completes; zero for a first one.
	Of int64 `json:"of,omitempty"`
}

// Rows is how many rows were deleted or cleared.
func (f Facts) Rows() (n int64) {
	for _, s := range f.Steps {
		if s.Fate != "kept" {
			n += s.Rows
		}
	}
	return n
}

// subject recognises a login in the proofs, and tells nobody which it was.
func (e *Engine) subject(login string) string {
	return hex.EncodeToString(e.Keys.Name("privacy.proof", []byte(login)))
}

// linked is the hash of a proof: of all that it says, and of the proof before it.
func linked(seq int64, erasure string, at db.Time, subject, facts, previous string) string {
	h := sha256.New()
	for _, part := range []string{strconv.FormatInt(seq, 10), erasure, strconv.FormatInt(int64(at), 10), subject, facts, previous} {
		fmt.Fprintf(h, "%d:%s", len(part), part) // never fails (hash.Hash)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// prove adds a proof to the chain, under the name of its erasure.
func (e *Engine) prove(ctx context.Context, tx db.Tx, erasure, subject string, said Facts) error {
	facts, err := json.Marshal(said)
	if err != nil {
		return fmt.Errorf("write a proof: %w", err)
	}
	q := sqlgen.New(tx)
	head, err := q.HoldHead(ctx)
	if err != nil {
		return fmt.Errorf("lengthen the chain of proofs: %w", err)
	}
	hash := linked(head.Seq, erasure, tx.Now(), subject, string(facts), head.Hash)
	err = q.AddProof(ctx, sqlgen.AddProofParams{Seq: head.Seq, ErasureID: erasure, ProvedAt: tx.Now(), Subject: subject, Facts: string(facts), Previous: head.Hash, Hash: hash})
	if err != nil {
		return fmt.Errorf("add a proof: %w", err)
	}
	return q.SetHead(ctx, hash)
}

// Verify goes through the whole chain. It returns how many proofs hold, and the
// number of the first that does not; 0 when all do.
func (e *Engine) Verify(ctx context.Context) (held, broken int64, err error) {
	q := sqlgen.New(e.DB.Read())
	previous := ""
	for {
		rows, err := q.Proofs(ctx, sqlgen.ProofsParams{Seq: held, Size: 500})
		if err != nil {
			return held, 0, fmt.Errorf("read the proofs: %w", err)
		}
		for _, r := range rows {
			if r.Seq != held+1 || r.Previous != previous || r.Hash != linked(r.Seq, r.ErasureID, r.ProvedAt, r.Subject, r.Facts, r.Previous) {
				return held, held + 1, nil
			}
			held, previous = r.Seq, r.Hash
		}
		if len(rows) < 500 {
			break
		}
	}
	head, err := q.Head(ctx)
	if err != nil {
		return held, 0, fmt.Errorf("read the end of the proofs: %w", err)
	}
	if head.Seq > held || head.Seq == held && head.Hash != previous {
		return held, held + 1, nil
	}
	return held, 0, nil
}

// Proofs are the newest ones, or those about somebody who once had a login.
func (e *Engine) Proofs(ctx context.Context, login string, size, skip int) ([]Proof, error) {
	q := sqlgen.New(e.DB.Read())
	var rows []sqlgen.PrivacyProof
	var err error
	if login != "" {
		rows, err = q.ProofsOf(ctx, e.subject(login))
	} else {
		rows, err = q.NewestProofs(ctx, sqlgen.NewestProofsParams{Size: int32(size), Skip: int32(skip)})
	}
	if err != nil {
		return nil, fmt.Errorf("list the proofs: %w", err)
	}
	list := make([]Proof, len(rows))
	for i, r := range rows {
		list[i] = Proof{Seq: r.Seq, Erasure: r.ErasureID, At: r.ProvedAt.Time()}
		if err := json.Unmarshal([]byte(r.Facts), &list[i].Facts); err != nil {
			return nil, fmt.Errorf("read proof %d: %w", r.Seq, err)
		}
	}
	return list, nil
}
