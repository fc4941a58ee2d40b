package attached

import (
	"context"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/attached/internal/sqlgen"
)

// Holdings declares what waits for somebody's next try of a form. Files beside messages
// are declared with the requests.
func (a *Attached) Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{
		contract.Held(ctx, "helpdesk_uploads", "helpdesk.tray.holding").On(contract.PublicTask, contract.DataWritings).Erased(contract.Delete("owner_id")),
	}
}

// Export writes which files wait for somebody's next try.
func (a *Attached) Export(ctx context.Context, who campus.PersonID, to *contract.Archive) error {
	type file struct {
		Since string `json:"since"`
		Name  string `json:"name"`
		Size  int64  `json:"size"` // bytes
	}
	list := []file{}
	for after := ""; ; {
		rows, err := sqlgen.New(a.DB.Read()).FilesWaitingFor(ctx, sqlgen.FilesWaitingForParams{OwnerID: string(who), AfterRef: after})
		if err != nil {
			return fmt.Errorf("export the files that wait: %w", err)
		}
		if len(rows) == 0 {
			return to.JSON("files_that_wait", list)
		}
		for _, row := range rows {
			list = append(list, file{row.TakenAt.Time().Format(time.RFC3339), row.Name, row.Size})
			after = row.FileRef
		}
	}
}
