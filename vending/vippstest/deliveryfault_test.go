package vippstest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/vippsvending/vipps/vending/vippstest"
)

func TestDeliveryFaults(t *testing.T) {
	t.Parallel()
	for kind, test := range map[vippstest.DeliveryFaultKind]struct {
		attempts  int
		verifies  bool // the first one
		different func(received) bool
	}{
		vippstest.Duplicate:        {2, true, nil},
		vippstest.Delay:            {0, true, nil},
		vippstest.Drop:             {0, true, nil},
		vippstest.ExtraFields:      {1, true, func(d received) bool { return d.at("addedLater") != nil && d.text("name") == "CREATED" }},
		vippstest.NoIdempotencyKey: {1, true, func(d received) bool { _, ok := d.body["idempotencyKey"]; return !ok && d.text("name") == "CREATED" }},
		vippstest.NotSuccessful:    {1, true, func(d received) bool { return d.body["success"] == false }},
		vippstest.BadSignature:     {1, false, func(d received) bool { return d.header.Get("Authorization") != "" }},
		vippstest.ForgedBody:       {1, false, func(d received) bool { return d.number("amount", "value") == 92500 }},
		vippstest.NoAuthorization: {1, false, func(d received) bool {
			return d.header.Get("Authorization") == "" && d.header.Get("X-Vipps-Authorization") != ""
		}},
		vippstest.StaleDate: {1, true, func(d received) bool {
			date, err := http.ParseTime(d.header.Get("X-Ms-Date"))
			return err == nil && time.Since(date) > 59*time.Minute
		}},
		vippstest.LostAnswer: {1, true, nil},
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			m := newMerchant(t, vippstest.Options{})
			_, secret := m.mustRegister(hook, createdEvent)
			box := m.receive(hook)
			m.server.InjectDelivery(
				vippstest.DeliveryFault{Event: "CREATED", Reference: "reference-1", Kind: kind, Delay: 30 * time.Second},
			)
			m.mustCreate("reference-2", nil)
			m.server.Settle()
			if n := len(box.all()); n != 1 {
				t.Fatalf("another payment: %d deliveries", n)
			}
			m.mustCreate("reference-1", nil)
			m.server.Settle()
			got := box.all()[1:]
			if len(got) != test.attempts {
				t.Fatalf("%d deliveries, want %d", len(got), test.attempts)
			}
			if len(got) > 0 {
				if err := got[0].verify(secret); (err == nil) != test.verifies {
					t.Errorf("verifies: %v", err)
				}
				if test.different != nil && !test.different(got[0]) {
					t.Errorf("%v %s", got[0].header, got[0].raw)
				}
			}
			m.server.Advance(time.Minute)
			want := test.attempts
			if kind == vippstest.Delay || kind == vippstest.LostAnswer {
				want++
			}
			if n := len(box.all()) - 1; n != want {
				t.Errorf("a minute later: %d deliveries, want %d", n, want)
			}
		})
	}
}

func TestCheckIn(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	_, secret := m.mustRegister(hook, checkInEvent)
	box := m.receive(hook)
	token := m.server.CheckIn("", "sticker-1")
	m.server.InjectDelivery(vippstest.DeliveryFault{Event: checkInEvent, Kind: vippstest.OldSpelling})
	m.server.CheckIn("", "sticker-2")
	m.server.Settle()
	got := box.all()
	if len(got) != 2 {
		t.Fatalf("%d deliveries", len(got))
	}
	for _, d := range got {
		if err := d.verify(secret); err != nil {
			t.Error(err)
		}
		if _, err := time.Parse(time.RFC3339Nano, d.text("initiatedAt")); err != nil {
			t.Error(err)
		}
		if d.text("merchantQrId") == "sticker-1" && (d.text("customerToken") != token || d.text("msn") != "123456") {
			t.Errorf("%s", d.raw)
		}
		if d.text("merchantQrId") == "sticker-2" && d.text("merchantSerialNumber") != "123456" {
			t.Errorf("%s", d.raw)
		}
	}
}
