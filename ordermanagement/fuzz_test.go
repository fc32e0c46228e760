package ordermanagement_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/vippsvending/vipps/internal/apitest"
	"github.com/vippsvending/vipps/ordermanagement"
)

// saying gives every call the answer that body points to. It is made once, since fetching a token for every input is slow.
func saying(f *testing.F, seeds ...string) (client *ordermanagement.Client, body *string) {
	f.Helper()
	for _, name := range seeds {
		good := apitest.Testdata(f, name)
		for _, seed := range []string{good, good[:len(good)/2], strings.ReplaceAll(good, `"`, ""), strings.ReplaceAll(good, "{", "[")} {
			f.Add(seed)
		}
	}
	for _, seed := range []string{"", "null", "{}", "[]", "[null]", `""`, "<html>", `{"categories":[null]}`, `{"receipt":{"orderLines":[null]}}`} {
		f.Add(seed)
	}
	body = new(string)
	return newClient(f, saver{body}), body
}

type saver struct{ body *string }

func (s saver) RoundTrip(r *http.Request) (*http.Response, error) {
	body := *s.body
	if strings.HasSuffix(r.URL.Path, "/accesstoken/get") {
		body = `{"access_token":"the-token","expires_in":"3600"}`
	}
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func FuzzGet(f *testing.F) {
	client, said := saying(f, "order.json")
	f.Fuzz(func(t *testing.T, body string) {
		*said = body
		got, err := client.Get(t.Context(), ordermanagement.Ecom, orderID)
		if (err == nil) != (got != nil) {
			t.Errorf("%+v, %v", got, err)
		}
		if err == nil && got.Receipt != nil {
			_, _ = got.Receipt.Validate(), got.Receipt.Balance(nok(1))
		}
	})
}

func FuzzID(f *testing.F) {
	client, said := saying(f, "id.json")
	f.Fuzz(func(t *testing.T, body string) {
		*said = body
		id, err := client.PutCategory(t.Context(), ordermanagement.Ecom, orderID, someCategory())
		if (err == nil) != (id != "") {
			t.Errorf("%q, %v", id, err)
		}
	})
}

func FuzzCategories(f *testing.F) {
	client, said := saying(f, "categories.json", "category.json", "added.json")
	f.Fuzz(func(t *testing.T, body string) {
		*said = body
		if got, err := client.ListCategories(t.Context(), orderID); (err == nil) != (got != nil) {
			t.Errorf("%+v, %v", got, err)
		}
		if got, err := client.GetCategory(t.Context(), linkID); (err == nil) != (got != nil) || err == nil && !strings.EqualFold(got.ID, linkID) {
			t.Errorf("%+v, %v", got, err)
		}
		if id, err := client.AddCategory(t.Context(), ordermanagement.Ecom, orderID, someCategory()); (err == nil) != (id != "") {
			t.Errorf("%q, %v", id, err)
		}
	})
}

func FuzzAddImage(f *testing.F) {
	client, said := saying(f, "image.json")
	content := []byte(apitest.Testdata(f, "square.png"))
	f.Fuzz(func(t *testing.T, body string) {
		*said = body
		got, err := client.AddImage(t.Context(), ordermanagement.AddImageRequest{Content: content})
		if (err == nil) != (got != nil) || err == nil && got.ID == "" {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// FuzzImageContent has the decoders look at anything.
func FuzzImageContent(f *testing.F) {
	for _, kind := range []string{"png", "jpeg"} {
		good := drawing(f, kind, 200, 200)
		f.Add(good)
		f.Add(good[:len(good)/2])
	}
	client := newClient(f, saver{new(`{"imageId":"x"}`)})
	f.Fuzz(func(t *testing.T, content []byte) {
		_, err := client.AddImage(t.Context(), ordermanagement.AddImageRequest{Content: content})
		_, again := client.AddImage(t.Context(), ordermanagement.AddImageRequest{Reader: bytes.NewReader(content)})
		if content != nil && (err == nil) != (again == nil) {
			t.Errorf("%v, %v", err, again)
		}
	})
}
