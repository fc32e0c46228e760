package vippstest

import (
	"bytes"
	"encoding/base64"
	"image"
	_ "image/jpeg" // a kind of image that may be sent
	_ "image/png"
	"net/http"
	"strings"
)

// What images may be: so many bytes, and so many pixels high. In the body they are a third longer.
const (
	largestImage = 2 << 20
	lowestImage  = 167
	maxImageBody = 4 << 20
)

type imageID struct{ msn, id string }

var imageSchema = object(
	required("imageId", imageIDRule),
	required("src", text(1, maxImageBody)),
	required("type", oneOf("base64")),
)

// postImage keeps an image for ever: it cannot be replaced, not even by itself.
func (s *Server) postImage(c *call) reply {
	check := &check{lenient: s.options.LenientFields}
	imageSchema(check, "", c.parsed)
	var data []byte
	if len(check.details) == 0 {
		data = readImage(check, c.parsed.get("src").text)
	}
	if r, ok := check.verdict(); !ok {
		return c.route.refuse(c, r)
	}
	id := imageID{c.msn, c.parsed.get("imageId").text}
	if s.images[id] != nil {
		return c.route.refuse(c, refusal{status: http.StatusConflict, detail: "The image is a duplicate: " + id.id + " exists already."})
	}
	s.images[id] = data
	return answer(http.StatusOK, typeJSON, struct {
		ImageID string `json:"imageId"`
	}{id.id})
}

func readImage(c *check, src string) []byte {
	data, err := base64.StdEncoding.Strict().DecodeString(src)
	if err != nil {
		c.wrong("src", "The value must be base64, without anything in front.")
		return nil
	}
	if len(data) > largestImage {
		c.wrong("src", "The image must not be larger than 2 MB.")
		return nil
	}
	size, kind, err := image.DecodeConfig(bytes.NewReader(data))
	switch {
	case err != nil, kind != "png" && kind != "jpeg": // a program may have registered other kinds
		c.wrong("src", "The image must be a PNG or a JPEG.")
	case size.Height < lowestImage:
		c.wrong("src", "The image must be at least %d pixels high.", lowestImage)
	}
	return data
}

// Image is an image that was sent for orders of the serial number of [Server.Credentials]; "msn/id" asks for one of
// another.
func (s *Server) Image(id string) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	msn := s.credentials.MerchantSerialNumber
	if number, rest, ok := strings.Cut(id, "/"); ok {
		msn, id = number, rest
	}
	data, ok := s.images[imageID{msn, id}]
	return bytes.Clone(data), ok
}
