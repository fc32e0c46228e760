package qr

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vippsvending/vipps"
)

// Client makes, reads and changes codes. Make one with [New]. It is safe for concurrent use and needs no closing.
type Client struct {
	client *vipps.Client
}

// New makes a Client that uses the credentials, the token and the connections of client. Codes belong to the client's sales
// unit and environment.
func New(client *vipps.Client) *Client { return &Client{client: client} }

func path(rest ...string) []string {
	return append([]string{"qr", "v1"}, rest...)
}

var (
	// The API's own patterns. The first has letters of Norwegian and Danish, blanks and the percent sign.
	redirectID  = regexp.MustCompile(`^[-_+%æøåÆØÅ\w\s]+$`)
	redirectURL = regexp.MustCompile(`^https://[\w.]+([\w#!:.?+=&%@\-/]+)?$`)
	// The API has published no pattern for these.
	callbackID = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
)

// findings collects what is wrong with a request, each finding by the name of its field.
type findings []error

func (f *findings) require(ok bool, finding string) {
	if !ok {
		*f = append(*f, errors.New(finding))
	}
}

func (f findings) err(op string) error {
	if len(f) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w: %w", op, vipps.ErrInvalidRequest, errors.Join(f...))
}

func (f *findings) redirectID(id string) {
	f.require(redirectID.MatchString(id) && utf8.RuneCountInString(id) <= 128,
		"ID: must be 1 to 128 letters a-z and æøå, digits, blanks and -_+%")
}

func (f *findings) redirectURL(address string) {
	f.require(redirectURL.MatchString(address),
		"RedirectURL: must be an https address of letters, digits and #!:.?+=&%@-/_ only")
}

// newCallbackID is for codes to be made, callbackID for codes that somebody may have made by other means.
func (f *findings) newCallbackID(name, id string) {
	f.require(callbackID.MatchString(id), name+": must be letters a-z, digits, hyphens and underscores")
}

func (f *findings) callbackID(id string) {
	f.require(strings.TrimSpace(id) != "" && id != "." && id != ".." && !strings.ContainsFunc(id, unicode.IsControl),
		"ID: must be the id of a code")
}

func (f *findings) location(location string) {
	f.require(strings.TrimSpace(location) != "" && utf8.RuneCountInString(location) <= 36,
		"LocationDescription: must be 1 to 36 characters")
}

// about makes sure that an answer is about the code that was asked for. An id that is left out is no other id.
func about(answered, asked string) error {
	if answered != "" && !strings.EqualFold(answered, asked) {
		return errors.New("the answer is about another code")
	}
	return nil
}

// unlessGone makes a 404 to a deletion what it means.
func unlessGone(err error) error {
	if errors.Is(err, vipps.ErrNotFound) {
		return nil
	}
	return err
}

func header(pairs ...string) http.Header {
	h := http.Header{}
	for pair := range slices.Chunk(pairs, 2) {
		h.Set(pair[0], pair[1])
	}
	return h
}
