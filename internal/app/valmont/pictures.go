package valmont

import (
	"bytes"
	"embed"
	"fmt"
	"image"
	_ "image/jpeg" // the pictures' format, for their dimensions
)

//go:generate go run ./drawing

//go:embed pictures/*.jpg
var pictureFS embed.FS

// Picture is an illustration of the news.
type Picture struct {
	Name   string
	Alt    Text
	Type   string `toml:"-"` // media type
	Width  int    `toml:"-"`
	Height int    `toml:"-"`
	Data   []byte `toml:"-"`
}

// FileName is the name under which the picture can be stored.
func (p Picture) FileName() string { return p.Name + ".jpg" }

func loadPictures() ([]Picture, error) {
	var source struct {
		Pictures []Picture `toml:"picture"`
	}
	if err := read("pictures", &source); err != nil {
		return nil, err
	}
	for i := range source.Pictures {
		p := &source.Pictures[i]
		data, err := pictureFS.ReadFile("pictures/" + p.FileName())
		if err != nil {
			return nil, fmt.Errorf("read Valmont's picture %q: %w", p.Name, err)
		}
		config, format, err := image.DecodeConfig(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("read Valmont's picture %q: %w", p.Name, err)
		}
		p.Type, p.Width, p.Height, p.Data = "image/"+format, config.Width, config.Height, data
	}
	return source.Pictures, nil
}
