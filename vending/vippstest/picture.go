package vippstest

import (
	"net/url"
	"strconv"
	"strings"
)

// The image of one-time and redirect codes is chosen by headers. The documentation also shows size and whiteBorder in
// the body; they count where they are given.
var pictureFields = []field{
	nullable("size", integer(smallestSize, largestSize)),
	nullable("whiteBorder", integer(0, widestBorder)),
}

// pictureOfHeaders is what Accept and Size ask for, and the body if there is one.
func (c *call) pictureOfHeaders(check *check) picture {
	p := picture{size: defaultSize, border: -1}
	switch accept := strings.ToLower(strings.TrimSpace(c.header.Get("Accept"))); accept {
	case "":
		check.wrong("Accept", "The Accept field is required.")
	case "image/*", "image/svg+xml":
		p.format = "svg"
	case "image/png":
		p.format = "png"
	case "text/targeturl":
		p.format = "text"
	default:
		check.wrong("Accept", "The field Accept must be one of image/*, image/svg+xml, image/png, text/targetUrl.")
	}
	if size := c.header.Get("Size"); size != "" {
		p.size = readSize(check, "Size", size)
	}
	if n, ok := c.parsed.get("size").integer(); ok {
		p.size = int(n)
	}
	if n, ok := c.parsed.get("whiteBorder").integer(); ok {
		p.border = int(n)
		if p.border > p.size/4 {
			check.wrong("whiteBorder", "The border leaves no room for the code.")
		}
	}
	return p
}

// pictureOfQuery is what QrImageFormat and QrImageSize ask for. Neither names nor values depend on case.
func (c *call) pictureOfQuery(check *check) picture {
	p := picture{format: "svg", size: defaultSize, border: -1}
	query, _ := url.ParseQuery(c.query)
	for name, values := range query {
		switch {
		case strings.EqualFold(name, "QrImageFormat"):
			p.format = strings.ToLower(values[0])
			if p.format != "png" && p.format != "svg" {
				check.wrong("QrImageFormat", "The value '%s' is not valid for QrImageFormat.", values[0])
			}
		case strings.EqualFold(name, "QrImageSize"):
			p.size = readSize(check, "QrImageSize", values[0])
		}
	}
	return p
}

func readSize(check *check, name, text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < smallestSize || n > largestSize {
		check.wrong(name, "The field %s must be between %d and %d.", name, smallestSize, largestSize)
	}
	return n
}
