package place

import (
	"encoding/binary"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
)

// entry is one network of a GeoIP file made for a test.
type entry struct {
	network string
	record  map[string]any
}

// writeFile makes a file in the MaxMind DB format, version 2.0: a tree of nodes of
// two 24-bit records, 16 zero bytes, the data, a marker and the metadata.
func writeFile(t *testing.T, entries ...entry) string {
	t.Helper()
	const empty = -1
	nodes := [][2]int{{empty, empty}}
	var data []byte
	leaf := func(offset int) int { return -2 - offset } // told apart from nodes until their number is known
	for _, e := range entries {
		offset := len(data)
		data = append(data, encode(e.record)...)
		prefix := netip.MustParsePrefix(e.network)
		address, length := prefix.Addr().As16(), prefix.Bits()
		if prefix.Addr().Is4() { // IPv4 lives below ::/96
			clear(address[:12])
			length += 96
		}
		node := 0
		for bit := range length {
			side := int(address[bit/8]>>(7-bit%8)) & 1
			if bit == length-1 {
				nodes[node][side] = leaf(offset)
				break
			}
			if nodes[node][side] == empty {
				nodes = append(nodes, [2]int{empty, empty})
				nodes[node][side] = len(nodes) - 1
			}
			node = nodes[node][side]
		}
	}
	var file []byte
	for _, n := range nodes {
		for _, to := range n {
			switch {
			case to == empty:
				to = len(nodes)
			case to < empty:
				to = len(nodes) + 16 + (-2 - to)
			}
			file = append(file, byte(to>>16), byte(to>>8), byte(to))
		}
	}
	file = append(file, make([]byte, 16)...)
	file = append(file, data...)
	file = append(file, "\xab\xcd\xefMaxMind.com"...)
	file = append(file, encode(map[string]any{
		"binary_format_major_version": uint16(2), "binary_format_minor_version": uint16(0), "build_epoch": uint32(1),
		"database_type": "Test-City", "description": map[string]any{}, "ip_version": uint16(6), "languages": []string{"en"},
		"node_count": uint32(len(nodes)), "record_size": uint16(24),
	})...)
	name := filepath.Join(t.TempDir(), "test.mmdb")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func encode(v any) []byte {
	control := func(kind, size int) []byte {
		b := []byte{byte(min(size, 29))}
		if kind <= 7 {
			b[0] |= byte(kind << 5)
		} else {
			b = append(b, byte(kind-7))
		}
		if size >= 29 {
			b = append(b, byte(size-29))
		}
		return b
	}
	switch v := v.(type) {
	case string:
		return append(control(2, len(v)), v...)
	case float64:
		return binary.BigEndian.AppendUint64(control(3, 8), math.Float64bits(v))
	case uint16:
		return binary.BigEndian.AppendUint16(control(5, 2), v)
	case uint32:
		return binary.BigEndian.AppendUint32(control(6, 4), v)
	case []string:
		b := control(11, len(v))
		for _, s := range v {
			b = append(b, encode(s)...)
		}
		return b
	case map[string]any:
		b := control(7, len(v))
		for key, value := range v {
			b = append(append(b, encode(key)...), encode(value)...)
		}
		return b
	}
	panic("the test file holds nothing of this type")
}
