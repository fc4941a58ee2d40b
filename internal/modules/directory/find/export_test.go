package find

// Kept reports whether Keep is at work.
func (f *Finder) Kept() bool { return f.kept.Load() }
