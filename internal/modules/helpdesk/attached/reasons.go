package attached

import (
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Why a file was not kept.
var (
	// TooLarge: it has more than MaxFile bytes.
	TooLarge = fault.Declare(fault.TooLarge, "helpdesk.file_too_large")
	// TooMuch: together with those before it, it has more than MaxAll bytes.
	TooMuch = fault.Declare(fault.TooLarge, "helpdesk.files_too_large")
	// TooMany: it is one more than MaxFiles.
	TooMany = fault.Declare(fault.Invalid, "helpdesk.files_too_many")
	// Empty: it has no bytes.
	Empty = fault.Declare(fault.Invalid, "helpdesk.file_empty")
	// Executable: it is a program, or an archive with one.
	Executable = fault.Declare(fault.Invalid, "helpdesk.file_executable")
	// Explodes: it is an archive that would fill a disk, or whose directory lies.
	Explodes = fault.Declare(fault.Invalid, "helpdesk.file_explodes")
	// Nested: it is an archive with archives in it, whose size nobody can tell.
	Nested = fault.Declare(fault.Invalid, "helpdesk.file_nested")
	// PictureBroken: it says that it is a picture, and cannot be drawn.
	PictureBroken = fault.Declare(fault.Invalid, "helpdesk.file_picture_broken")
)
