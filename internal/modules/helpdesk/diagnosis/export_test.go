package diagnosis

// Reasons lists the reason codes that have a leaf.
func Reasons() []string {
	var list []string
	for code := range reasons {
		list = append(list, code)
	}
	return list
}
