// Command amphi is the digital workspace of a university, in one binary.
package main

import (
	"os"

	"github.com/amphi-campus/amphi/internal/app"
)

func main() { os.Exit(app.Main(os.Args[1:], os.Environ(), os.Stdout, os.Stderr)) }
