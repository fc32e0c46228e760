package vippstest

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

var categoryRule = oneOf("GENERAL", "RECEIPT", "ORDER_CONFIRMATION", "DELIVERY", "TICKET", "BOOKING")

var (
	putCategorySchema = object(
		required("category", categoryRule),
		required("orderDetailsUrl", uriRule),
		nullable("imageId", imageIDRule),
	)
	addCategorySchema = object(
		required("orderId", pattern(orderIDPattern)),
		required("paymentType", oneOf("ECOM", "RECURRING")),
		required("type", categoryRule),
		required("url", uriRule),
		optional("imageId", imageIDRule),
	)
)

func uriRule(c *check, path string, v value) {
	if u, err := url.Parse(v.text); v.kind != isString || err != nil || u.Scheme == "" || u.Host == "" {
		c.wrong(path, "The value must be an absolute URI.")
	}
}

func imageIDRule(c *check, path string, v value) {
	text(1, 128)(c, path, v)
	if v.kind == isString && v.text != "" {
		pattern(imageIDPattern)(c, path, v)
	}
}

// putCategory is version 2, with one category for an order: the last one.
func (s *Server) putCategory(c *call) reply {
	check := &check{lenient: s.options.LenientFields}
	id := c.orderOf(check)
	putCategorySchema(check, "", c.parsed)
	if r, ok := check.verdict(); !ok {
		return c.route.refuse(c, r)
	}
	d := s.detailsOf(id)
	d.category = bytes.Clone(c.body)
	if d.categoryID == "" {
		d.categoryID = newID()
	}
	return answer(http.StatusOK, typeJSON, d.categoryID)
}

// Category is a link from a payment in the app to the merchant, as version 3 of the API keeps it. An order may have many.
type Category struct {
	ID          string `json:"categoryId"`
	OrderID     string `json:"orderId"`
	PaymentType string `json:"paymentType"` // ECOM or RECURRING
	Type        string `json:"type"`        // such as RECEIPT
	URL         string `json:"url"`
	ImageID     string `json:"imageId,omitempty"`

	msn string
}

func (s *Server) addCategory(c *call) reply {
	check := &check{lenient: s.options.LenientFields}
	addCategorySchema(check, "", c.parsed)
	if r, ok := check.verdict(); !ok {
		return c.route.refuse(c, r)
	}
	get := func(name string) string { return c.parsed.get(name).text }
	k := Category{newID(), get("orderId"), get("paymentType"), get("type"), get("url"), get("imageId"), c.msn}
	s.categories = append(s.categories, k)
	return answer(http.StatusCreated, typeJSON, struct {
		CategoryID string `json:"categoryId"`
	}{k.ID})
}

func (s *Server) categoriesOf(msn, order string) []Category {
	list := []Category{}
	for _, k := range s.categories {
		if k.msn == msn && k.OrderID == order {
			list = append(list, k)
		}
	}
	return list
}

func (s *Server) listCategories(c *call) reply {
	query, _ := url.ParseQuery(c.query)
	order := query.Get("orderId")
	if !orderIDPattern.MatchString(order) {
		return c.route.refuse(c, refusal{details: []detail{
			{"orderId", "The field OrderId is required and must match the regular expression '" + orderIDPattern.String() + "'."},
		}})
	}
	return answer(http.StatusOK, typeJSON, struct {
		Categories []Category `json:"categories"`
	}{s.categoriesOf(c.msn, order)})
}

// category is where the one is that a call is about, or less than 0.
func (s *Server) category(c *call) (int, reply) {
	i := slices.IndexFunc(s.categories, func(k Category) bool { return k.msn == c.msn && strings.EqualFold(k.ID, c.id) })
	if i < 0 {
		return i, c.route.refuse(c, refusal{status: http.StatusNotFound, detail: "The category does not exist."})
	}
	return i, reply{}
}

func (s *Server) getCategory(c *call) reply {
	if !idPattern.MatchString(c.id) {
		return c.route.refuse(c, refusal{details: []detail{{"categoryId", "The value must be a UUID."}}})
	}
	i, r := s.category(c)
	if i < 0 {
		return r
	}
	return answer(http.StatusOK, typeJSON, s.categories[i])
}

func (s *Server) deleteCategory(c *call) reply {
	i, r := s.category(c)
	if i < 0 {
		return r
	}
	s.categories = slices.Delete(s.categories, i, i+1)
	return empty(http.StatusOK)
}

// Categories are those that version 3 of the API was told of for an order of the serial number of [Server.Credentials],
// oldest first; "msn/order" asks for those of another one.
func (s *Server) Categories(order string) []Category {
	s.mu.Lock()
	defer s.mu.Unlock()
	msn := s.credentials.MerchantSerialNumber
	if number, id, ok := strings.Cut(order, "/"); ok {
		msn, order = number, id
	}
	return s.categoriesOf(msn, order)
}
