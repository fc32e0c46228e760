package ordermanagement

import (
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"strings"

	"github.com/vippsvending/vipps"
)

const (
	// maxImage is 2 MB. The documentation does not say which of the two it means; this is the larger one.
	maxImage  = 2 << 20
	minHeight = 167
)

// AddImageRequest is an image to add: Content or Reader. It must be a PNG or a JPEG, at least 167 pixels high and at most 2 MB.
// A square one looks best.
type AddImageRequest struct {
	Content []byte
	Reader  io.Reader // read to its end, but no further than an image may be large
	// ID is 1 to 128 letters, digits, dots, hyphens and underscores. Empty is right nearly always: it is derived from the
	// content then, so that the same image always has the same id and another image another one.
	ID string
}

// AddedImage is an image that categories can show.
type AddedImage struct {
	ID string
	// Existed says that it was there before.
	Existed bool
}

// AddImage adds an image, for categories of any number of payments. An image cannot be changed or taken back.
//
// One that is there already is a success, which the API tells in two ways. With an ID of your own it is an error that matches
// [vipps.ErrConflict] instead, since the image under it may be another one.
//
// It is not repeated after a lost answer. If the error matches [vipps.ErrOutcomeUnknown], call again, which is safe. An error
// matches [vipps.ErrInvalidRequest] if the image is too large, too low or of another kind; nothing was sent then.
//
// See https://developer.vippsmobilepay.com/docs/APIs/order-management-api/.
func (c *Client) AddImage(ctx context.Context, request AddImageRequest) (*AddedImage, error) {
	const op = "ordermanagement.AddImage"
	content, err := request.content(op)
	if err != nil {
		return nil, err
	}
	id := request.ID
	if id == "" {
		sum := sha512.Sum512(content)
		id = hex.EncodeToString(sum[:])
	}
	body := struct {
		ImageID string `json:"imageId"`
		Source  string `json:"src"`
		Type    string `json:"type"`
	}{id, base64.StdEncoding.EncodeToString(content), "base64"}
	var answer struct {
		ID answeredID `json:"imageId"`
	}
	err = c.client.Do(ctx, vipps.Request{
		Op: op, Subject: id, Method: http.MethodPost, Path: path("v1", "images"), Body: body, Accept: answer.ID.accept,
	}, &answer)
	switch {
	case err == nil:
		return &AddedImage{ID: string(answer.ID)}, nil
	case isDuplicate(err) && request.ID == "":
		return &AddedImage{ID: id, Existed: true}, nil
	case isDuplicate(err) && !errors.Is(err, vipps.ErrConflict):
		return nil, fmt.Errorf("%w: %w", vipps.ErrConflict, err)
	default:
		return nil, err
	}
}

// content is the bytes of the image, once it is known that the API takes them.
func (r *AddImageRequest) content(op string) ([]byte, error) {
	var f findings
	f.imageID("ID", r.ID)
	f.require((r.Content != nil) != (r.Reader != nil), "Content: must be set, or Reader, and not both")
	if err := f.err(op); err != nil {
		return nil, err
	}
	content, field := r.Content, "Content"
	if r.Reader != nil {
		var err error
		field = "Reader"
		if content, err = io.ReadAll(io.LimitReader(r.Reader, maxImage+1)); err != nil {
			return nil, fmt.Errorf("%s: Reader: %w", op, err)
		}
	}
	switch config, err := decodeConfig(content); {
	case len(content) > maxImage:
		f.require(false, field+": must be at most 2 MB")
	case err != nil:
		f.require(false, field+": must be a PNG or a JPEG")
	case config.Height < minHeight:
		f.require(false, fmt.Sprintf("%s: must be at least %d pixels high, is %d", field, minHeight, config.Height))
	}
	return content, f.err(op)
}

// decodeConfig reads the size of a PNG or JPEG.
func decodeConfig(content []byte) (image.Config, error) {
	if bytes.HasPrefix(content, []byte("\x89PNG")) {
		return png.DecodeConfig(bytes.NewReader(content))
	}
	return jpeg.DecodeConfig(bytes.NewReader(content))
}

// isDuplicate says that an image is there already: 409, or 400 with a text that says so.
func isDuplicate(err error) bool {
	failed, ok := errors.AsType[*vipps.Error](err)
	if !ok || failed.During != "" {
		return false
	}
	if failed.Status == http.StatusConflict {
		return true
	}
	var said strings.Builder
	said.WriteString(failed.Title + failed.Detail + failed.Body)
	for _, detail := range failed.Details {
		said.WriteString(detail.Reason)
	}
	return failed.Status == http.StatusBadRequest && strings.Contains(strings.ToLower(said.String()), "duplicate")
}
