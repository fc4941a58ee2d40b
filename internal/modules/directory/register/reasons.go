package register

import "github.com/amphi-campus/amphi/internal/platform/fault"

// What keeps a record out, or stops a run. Those of the first group are questions
// that somebody decides: nobody is changed before.
var (
	// SharedValue: two records of one source have the same identifying value.
	SharedValue = fault.Declare(fault.Conflict, "directory.register.shared_value")
	// SeveralPeople: the values of a record belong to different people.
	SeveralPeople = fault.Declare(fault.Conflict, "directory.register.several_people")
	// TwoRecords: a source has another record of the same person.
	TwoRecords = fault.Declare(fault.Conflict, "directory.register.two_records")
	// OtherName: a record fits somebody by a number or an address, and has another
	// name.
	OtherName = fault.Declare(fault.Conflict, "directory.register.other_name")
	// ValueTaken: the login or address of a record belongs to somebody else.
	ValueTaken = fault.Declare(fault.Conflict, "directory.register.value_taken")
	// NameReserved: the login or address was given to somebody else once, and is not
	// given again.
	NameReserved = fault.Declare(fault.Conflict, "directory.register.name_reserved")
	// HoldsRights: a record would change the login or the address of somebody who holds
	// rights here. Whoever writes into a source, or uploads one, could else take over an
	// administrator: new passwords are asked for by the address.
	HoldsRights = fault.Declare(fault.Conflict, "directory.register.holds_rights")

	// NotItsOwn: a record would change the login, the address or a way to recover the
	// account of somebody whom the source did not bring, and whom it does not outrank.
	NotItsOwn = fault.Declare(fault.Conflict, "directory.register.not_its_own")
	// IdentityHeld: a program that pushes has changed the login, the address or a way to
	// recover the account of more people than its budget allows.
	IdentityHeld = fault.Declare(fault.Busy, "directory.register.identity_held")

	// CreationHeld: a program that pushes has brought more people than its budget allows.
	CreationHeld = fault.Declare(fault.Conflict, "directory.register.creation_held")

	// NumberOwned: a record says a number that is another source's to give, and that
	// nobody has said of this person.
	NumberOwned = fault.Declare(fault.Invalid, "directory.register.number_owned")
	// NoLogin: the source gives no login, and no rule makes one.
	NoLogin = fault.Declare(fault.Invalid, "directory.register.no_login")
	// NoMail: the source gives no address, and no rule makes one.
	NoMail = fault.Declare(fault.Invalid, "directory.register.no_mail")
	// NoName: the source gives no family name.
	NoName = fault.Declare(fault.Invalid, "directory.register.no_name")
	// Nobody: a source that only completes people speaks of somebody unknown.
	Nobody = fault.Declare(fault.Invalid, "directory.register.nobody")
	// Twice: a source hands over one key twice.
	Twice = fault.Declare(fault.Invalid, "directory.register.twice")

	// SourceUnknown: no source of the configuration has this name.
	SourceUnknown = fault.Declare(fault.NotFound, "directory.register.source_unknown")
	// SourceOff: the configuration has switched the source off.
	SourceOff = fault.Declare(fault.Conflict, "directory.register.source_off")
	// SourcePushes: a source that pushes cannot be read.
	SourcePushes = fault.Declare(fault.Conflict, "directory.register.source_pushes")
	// SourceTakesNoFile: only a source of kind csv takes a file over.
	SourceTakesNoFile = fault.Declare(fault.Conflict, "directory.register.source_takes_no_file")
	// SourceBroken: the source cannot be read.
	SourceBroken = fault.Declare(fault.Upstream, "directory.register.source_broken")
	// SourceEmpty: a source that spoke of people returns nobody.
	SourceEmpty = fault.Declare(fault.Conflict, "directory.register.source_empty")
	// TooManyGone: a run would end the registration of too many people.
	TooManyGone = fault.Declare(fault.Conflict, "directory.register.too_many_gone")
	// TooManyChanged: a run would change too many people.
	TooManyChanged = fault.Declare(fault.Conflict, "directory.register.too_many_changed")
	// TooManyIdentities: a run would change logins, addresses or ways to recover the
	// accounts of too many people.
	TooManyIdentities = fault.Declare(fault.Conflict, "directory.register.too_many_identities")
	// RunUnderWay: another run is writing.
	RunUnderWay = fault.Declare(fault.Busy, "directory.register.run_under_way")
	// RunMissing: there is no such run.
	RunMissing = fault.Declare(fault.NotFound, "directory.register.run_missing")
	// RunSettled: the run does not wait for a decision any more.
	RunSettled = fault.Declare(fault.Conflict, "directory.register.run_settled")
	// ConflictMissing: there is no such conflict.
	ConflictMissing = fault.Declare(fault.NotFound, "directory.register.conflict_missing")
	// ConflictSettled: somebody has decided, or the sources agree by now.
	ConflictSettled = fault.Declare(fault.Conflict, "directory.register.conflict_settled")
	// PersonMissing: there is no such person, or no such value of theirs.
	PersonMissing = fault.Declare(fault.NotFound, "directory.register.person_missing")
	// Reserved: only those who keep the directory decide.
	Reserved = fault.Declare(fault.Forbidden, "directory.register.reserved")
)

// Late: a source was not read for longer than its schedule allows.
var Late = fault.Declare(fault.Unavailable, "directory.register.late")
