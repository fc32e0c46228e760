package landing_test

import (
	"cmp"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/landing"
)

// stored puts a session into the store as it might be met there, and gives its status page in a language.
func (s *shop) stored(t *testing.T, id string, session vending.Session) (address string) {
	t.Helper()
	session.ID, session.Schema, session.Machine, session.Environment = id, 1, "oslo12", vipps.Test
	session.Currency = vipps.NOK
	session.Door = cmp.Or(session.Door, vending.SiteSelection)
	session.Now = time.Now()
	if session.Since.IsZero() {
		session.Since = session.Now
	}
	if err := s.store.Create(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	return "/m/s/" + string(s.operator.PageToken(id))
}

func item(name string, price int64, verdict vending.Verdict, concluded bool) vending.Item {
	return vending.Item{Name: name, Slot: "A1", Price: price, VendID: "v-" + name, Verdict: verdict, Concluded: concluded}
}

var (
	at      = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	out     = []vending.Item{item("Cola", 2500, vending.Dropped, true)}
	jammed  = []vending.Item{item("Cola", 2500, vending.NotDropped, true)}
	unheard = []vending.Item{item("Cola", 2500, vending.Unknown, true)}
	untold  = []vending.Item{{Name: "Cola", Slot: "A1", Price: 2500}}
)

// stories are the states and ends that a customer may meet, and what the page must and must not say.
var stories = []struct {
	name    string
	session vending.Session
	words   []string
	not     []string
	final   bool
}{
	{"opening", vending.Session{State: vending.Opening, Items: untold}, []string{"One moment"}, []string{"harged", "Continue", "Cancel"}, false},
	{"waiting", vending.Session{State: vending.Waiting, Reserved: 2500, Items: untold}, []string{"approve 25.00 NOK", "You pay only for what comes out", "it takes a moment before it shows", "Continue in Vipps", "Cancel the purchase"}, []string{"Charged", "Nothing"}, false},
	{
		"waiting for a maximum",
		vending.Session{State: vending.Waiting, Reserved: 4000, Maximum: true, MaxItems: 1},
		[]string{"at most 40.00 NOK is reserved", "pay only for what you take"},
		[]string{"harged"},
		false,
	},
	{"withdrawing", vending.Session{State: vending.Withdrawing, Reason: vending.ReasonReturned}, []string{"being cancelled", "Nothing was charged"}, []string{"Continue", "released", "seconds", "longer"}, false},
	{"withdrawing for hours", vending.Session{State: vending.Withdrawing, Reason: vending.ReasonReturned, Since: at}, []string{"being cancelled", "is taking longer than usual", "Contact us"}, nil, false},
	{
		"choosing",
		vending.Session{State: vending.Choosing, Reserved: 12000, Maximum: true, MaxItems: 3, Items: []vending.Item{out[0], jammed[0]}},
		[]string{"up to 2 products for at most 95.00 NOK in all", "I am done", "Came out", "Did not come out"},
		[]string{"Continue", "Cancel"},
		false,
	},
	{"choosing the last", vending.Session{State: vending.Choosing, Reserved: 4000, Maximum: true, MaxItems: 1}, []string{"one product for at most 40.00 NOK", "I am done"}, nil, false},
	{"between two items", vending.Session{State: vending.Choosing, Reserved: 5000, Items: []vending.Item{out[0], untold[0]}}, []string{"Your product is coming"}, []string{"I am done"}, false},
	{"vending", vending.Session{State: vending.Vending, Reserved: 2500, Items: untold}, []string{"Your product is coming", "pay only for what comes out"}, []string{"Cancel", "Did not"}, false},
	{"vending, somebody charges", vending.Session{State: vending.Vending, Reserved: 2500, Seen: vending.View{Captured: 2500}, Items: untold}, []string{"Charged 25.00 NOK"}, nil, false},
	{
		"held",
		vending.Session{State: vending.Held, Reserved: 2500, Items: unheard, Seen: vending.View{Authorized: 2500}},
		[]string{"checking the machine", "only if it came out", "Reserved 25.00 NOK", "Nothing was charged", "Contact us and give the reference", "Not known whether it came out"},
		[]string{"Charged"},
		false,
	},
	{
		"held, somebody charges",
		vending.Session{State: vending.Held, Reserved: 2500, Items: unheard, Seen: vending.View{Authorized: 2500, Captured: 2500}},
		[]string{"Charged 25.00 NOK"},
		[]string{"Nothing was charged", "Reserved"},
		false,
	},
	{
		"settling",
		vending.Session{State: vending.Settling, Reserved: 4000, Due: 2500, Items: out, Seen: vending.View{Authorized: 4000}},
		[]string{"Almost done", "Being charged 25.00 NOK"},
		[]string{" Charged", "Released", "Nothing"},
		false,
	},
	{"settling nothing", vending.Session{State: vending.Settling, Reserved: 4000, Seen: vending.View{Authorized: 4000}}, []string{"What was reserved is being released", "Nothing was charged"}, []string{"Released", "longer"}, false},
	{
		"settling for hours",
		vending.Session{State: vending.Settling, Reserved: 4000, Due: 2500, Items: out, Since: at, Seen: vending.View{Authorized: 4000}},
		[]string{"is taking longer than usual", "You do not need to wait here", "Contact us and give the reference"},
		nil, false,
	},
	{
		"settling the rest",
		vending.Session{State: vending.Settling, Reserved: 4000, Due: 2500, Items: out, Seen: vending.View{Authorized: 4000, Captured: 2500}},
		[]string{" Charged 25.00 NOK"},
		[]string{"Being charged", "Released", "Nothing"},
		false,
	},
	{
		"settling in full",
		vending.Session{State: vending.Settling, Reserved: 4000, Due: 2500, Full: true, Items: out, Seen: vending.View{Authorized: 4000}},
		[]string{"The whole reservation is charged, and what you do not owe is refunded"},
		[]string{"Released"},
		false,
	},
	{
		"settling a loss",
		vending.Session{State: vending.Settling, Reserved: 4000, Due: 2500, Lost: true, Items: out, Seen: vending.View{Authorized: 4000}},
		[]string{"that has not been paid for"},
		[]string{"Being charged"},
		false,
	},
	{
		"settling a surplus",
		vending.Session{State: vending.Settling, Reserved: 4000, Due: 2500, Over: true, Items: out, Seen: vending.View{Authorized: 4000, Captured: 4000}},
		[]string{"Charged 40.00 NOK", "More was charged", "Contact us"},
		nil, false,
	},
	{"not released", vending.Session{
		State: vending.Settling, Reserved: 4000, Due: 2500, Items: out, Seen: vending.View{Authorized: 4000, Captured: 2500},
		Outcome: vending.Outcome{Result: vending.NotReleased, Captured: 2500},
	}, []string{"still reserved", "Reserved 15.00 NOK", "Charged 25.00 NOK", "Contact us"}, []string{"Released 15"}, false},

	{"sold", closed(vending.Outcome{Result: vending.Sold, Captured: 2500}, "", out), []string{"Thank you!", "Charged 25.00 NOK"}, []string{"Released", "Nothing", "bank", "Contact us"}, true},
	{"sold below the maximum", closed(vending.Outcome{Result: vending.Sold, Captured: 2500, Released: 1500}, "", out), []string{"Charged 25.00 NOK", "Released 15.00 NOK", "bank"}, nil, true},
	{"sold in full", closed(vending.Outcome{Result: vending.Sold, Captured: 4000, Refunding: 1500}, "", out), []string{"Thank you!", "Charged 40.00 NOK", "Being refunded 15.00 NOK"}, []string{" Refunded"}, true},
	{"partly sold", closed(vending.Outcome{Result: vending.PartlySold, Captured: 2500, Released: 2500}, "", append(out, jammed...)), []string{"Not everything came out", "pay only for what came out"}, nil, true},
	{
		"refunding", closed(vending.Outcome{Result: vending.Sold, Captured: 2500, Refunding: 2500, Lost: 2500, Returned: 2500}, "", out),
		[]string{"Refund under way", "Charged 25.00 NOK", "Being refunded 25.00 NOK", "bank"},
		[]string{" Refunded", "has been", "Thank you"},
		true,
	},
	{
		"refunded", closed(vending.Outcome{Result: vending.Sold, Captured: 2500, Refunded: 2500, Lost: 2500, Returned: 2500}, "", out),
		[]string{"has been refunded", " Refunded 25.00 NOK"},
		[]string{"Being"},
		true,
	},
	{
		"refund refused", closed(vending.Outcome{Result: vending.Sold, Captured: 2500, NotRefunded: 2500}, "", out),
		[]string{"The refund did not go through", "25.00 NOK could not be refunded", "Contact us"},
		[]string{"has been refunded", "Thank you", "complete"},
		true,
	},
	{
		"a refund to be made",
		vending.Session{State: vending.Closed, Items: out, Tasks: []vending.Task{{}}, Outcome: vending.Outcome{Result: vending.Sold, Captured: 2500, Refunding: 2500, Lost: 2500, Returned: 2500}},
		[]string{"Refund under way", "New purchase"},
		nil, false,
	},
	{"jammed", closed(vending.Outcome{Result: vending.NotSold, Released: 2500}, "", jammed), []string{"Nothing came out", "Nothing was charged", "Released 25.00 NOK"}, []string{" Charged"}, true},
	{
		"unknown", closed(vending.Outcome{Result: vending.NotSold, Released: 2500, Unknown: 2500}, "", unheard),
		[]string{"do not know whether", "Nothing was charged", "was not charged", "Contact us"},
		[]string{" Charged", "Nothing came out"},
		true,
	},
	{
		"unknown in part", closed(vending.Outcome{Result: vending.PartlySold, Captured: 2500, Released: 2500, Unknown: 2500}, "", append(out, unheard...)),
		[]string{"We do not know whether everything came out", "Charged 25.00 NOK", "may or may not", "Contact us"},
		[]string{"Nothing was charged", "Not everything"},
		true,
	},
	{"delivered unpaid", closed(vending.Outcome{Result: vending.DeliveredUnpaid, Released: 2500, Lost: 2500}, "", out), []string{"not been paid for", "Nothing was charged", "Contact us"}, []string{"Thank"}, true},
	{
		"uncollected, and refunded by somebody", closed(vending.Outcome{Result: vending.Uncollected, Captured: 2500, Refunded: 2500, Lost: 2500}, "", out),
		[]string{"All that was charged has been refunded", " Refunded 25.00 NOK"},
		[]string{"not been paid for", "Contact us"},
		true,
	},
	{
		"one of two refunded by somebody", closed(vending.Outcome{Result: vending.Uncollected, Captured: 5000, Refunded: 2500, Lost: 2500}, "", append(out, out...)),
		[]string{"Part of what was charged is being given back", "Charged 50.00 NOK", " Refunded 25.00 NOK"},
		[]string{"not been paid for", "Contact us", "All that was charged"},
		true,
	},
	{
		"one of two being refunded", closed(vending.Outcome{Result: vending.Uncollected, Captured: 5000, Refunding: 2500, Lost: 2500}, "", append(out, out...)),
		[]string{"Refund under way", "Part of what was charged is being given back"},
		nil, true,
	},
	{
		"over, if it did not come out", closed(vending.Outcome{Result: vending.OverCaptured, Captured: 2500, Over: 2500, Unknown: 2500}, "", unheard),
		[]string{"do not know whether", "More was charged", "Charged 25.00 NOK", "Contact us"},
		[]string{"was not charged", "Too much"},
		true,
	},
	{"uncollected", closed(vending.Outcome{Result: vending.Uncollected, Captured: 2500, Lost: 2500}, "", append(out, out...)), []string{"not been paid for", "Charged 25.00 NOK", "Contact us"}, []string{"Nothing was"}, true},
	{"over", closed(vending.Outcome{Result: vending.OverCaptured, Captured: 5000, Over: 2500}, "", out), []string{"Too much was charged", "Charged 50.00 NOK", "Contact us"}, []string{"Thank"}, true},
	{"not released at last", closed(vending.Outcome{Result: vending.NotReleased, Captured: 2500}, "", out), []string{"still reserved", "Contact us"}, []string{"Released 1"}, true},
	{"a result of another version", closed(vending.Outcome{Result: "Gifted"}, "", out), []string{"not completed", "Contact us"}, nil, true},
	{"not approved", closed(vending.Outcome{Result: vending.NotSold}, vending.ReasonClock, untold), []string{"Time ran out", "not approved in time", "Nothing was charged"}, []string{"Released", "Came out"}, true},
	{"approved too late", late(vending.Session{}), []string{"approved too late, or the machine could not be reached", "Released 25.00 NOK"}, nil, true},
	{"nothing chosen", late(vending.Session{Maximum: true, SelectUntil: at}), []string{"Nothing was chosen in time", "Released"}, nil, true},
	{"jammed, then the time ran out", late(vending.Session{Maximum: true, SelectUntil: at, Items: jammed}), []string{"Nothing came out", "Did not come out"}, []string{"chosen", "Time"}, true},
	{"approved at the last moment, and jammed", late(vending.Session{Items: jammed}), []string{"Nothing came out"}, []string{"in time", "Time ran"}, true},
	{"the second never came", late(vending.Session{Items: untold, SelectUntil: at}), []string{"not completed"}, []string{"chosen"}, true},
	{"nothing taken", taken(), []string{"You took nothing"}, []string{"Nothing came out"}, true},
	{"given up", closed(vending.Outcome{Result: vending.NotSold}, vending.ReasonReturned, untold), []string{"You get no product and pay nothing"}, nil, true},
	{"replaced", closed(vending.Outcome{Result: vending.NotSold}, vending.ReasonReplaced, untold), []string{"next customer"}, nil, true},
	{"refused", closed(vending.Outcome{Result: vending.NotSold}, vending.ReasonRefused, untold), []string{"Vipps did not accept this payment. Pay another way, or contact us."}, nil, true},
	{"customer refused", refused(), []string{"Pay another way"}, []string{"7010", "number", "young", "could not take"}, true},
	{"unanswered", closed(vending.Outcome{Result: vending.NotSold}, vending.ReasonUnanswered, untold), []string{"Vipps does not answer"}, nil, true},
	{"machine", closed(vending.Outcome{Result: vending.NotSold, Released: 2500}, vending.ReasonMachine, untold), []string{"out of service"}, nil, true},
	{"aborted", closed(vending.Outcome{Result: vending.NotSold}, vending.ReasonAborted, untold), []string{"cancelled in the app"}, nil, true},
	{"expired", closed(vending.Outcome{Result: vending.NotSold}, vending.ReasonExpired, untold), []string{"not approved in time"}, nil, true},
	{"ended by somebody", closed(vending.Outcome{Result: vending.NotSold}, "", untold), []string{"not completed", "Nothing was charged"}, nil, true},
	{
		"absent",
		vending.Session{State: vending.Closed, Reason: vending.ReasonUnanswered, Absent: true, Outcome: vending.Outcome{Result: vending.NotSold}},
		[]string{"If you see a reservation"},
		nil, true,
	},
}

func closed(o vending.Outcome, reason vending.Reason, items []vending.Item) vending.Session {
	return vending.Session{State: vending.Closed, Reason: reason, Outcome: o, Items: items}
}

func late(s vending.Session) vending.Session {
	s.State, s.Reason, s.Approved = vending.Closed, vending.ReasonClock, at
	s.Outcome = vending.Outcome{Result: vending.NotSold, Released: 2500}
	return s
}

func taken() vending.Session {
	s := late(vending.Session{Maximum: true, SelectUntil: at})
	s.Reason = ""
	return s
}

func refused() vending.Session {
	s := closed(vending.Outcome{Result: vending.NotSold}, vending.ReasonRefused, untold)
	s.Refusal = "7010"
	return s
}

func TestStories(t *testing.T) {
	t.Parallel()
	s := newShop(t, change{})
	reached := map[string]bool{}
	for _, story := range stories {
		reached[string(story.session.State)], reached[string(story.session.Outcome.Result)] = true, true
		address := s.stored(t, "oslo12-"+strings.ReplaceAll(story.name, " ", "-"), story.session)
		p := s.browser().get(t, address)
		t.Run(story.name, func(t *testing.T) {
			t.Parallel()
			p.wants(t, 200, append(story.words, "Reference oslo12-")...)
			p.without(t, story.not...)
			if live := strings.Contains(p.body, `data-live="/m/s/`); live == story.final {
				t.Errorf("kept up to date: %v", live)
			}
			free := strings.Contains(p.text(), "Contact us and give the reference") // the machine is, and a person is needed
			if again := strings.Contains(p.text(), "New purchase"); again != (story.session.State == vending.Closed || free) {
				t.Errorf("leads back to the machine's page: %v", again)
			}
			if refreshed := strings.Contains(p.body, "http-equiv"); refreshed == story.final {
				t.Errorf("fetched again without a script: %v", refreshed)
			}
			if n := strings.Count(p.body, "<h1>"); n != 1 {
				t.Errorf("%d headings", n)
			}
			for _, hidden := range []string{string(story.session.Refusal), "v-Cola"} {
				if hidden != "" && strings.Contains(p.body, hidden) {
					t.Errorf("%q is on the page", hidden)
				}
			}
		})
	}
	for _, state := range []vending.State{vending.Opening, vending.Waiting, vending.Withdrawing, vending.Choosing, vending.Vending, vending.Held, vending.Settling, vending.Closed} {
		if !reached[string(state)] {
			t.Errorf("%s is not tried", state)
		}
	}
	for _, result := range []vending.Result{vending.Sold, vending.PartlySold, vending.NotSold, vending.DeliveredUnpaid, vending.Uncollected, vending.OverCaptured, vending.NotReleased} {
		if !reached[string(result)] {
			t.Errorf("%s is not tried", result)
		}
	}
}

// TestStoryWithoutPage is a session of a door that has a screen instead: its status page leads to no other.
func TestStoryWithoutPage(t *testing.T) {
	t.Parallel()
	s := newShop(t, change{})
	session := closed(vending.Outcome{Result: vending.Sold, Captured: 2500}, "", out)
	session.Door = vending.DynamicQR
	p := s.browser().get(t, s.stored(t, "oslo12-screen", session))
	p.wants(t, 200, "Thank you!")
	p.without(t, "New purchase")
	if !strings.Contains(p.body, `href="tel:&#43;4712345678"`) {
		t.Error("the phone number cannot be dialled")
	}
}

// TestStoriesInEveryLanguage looks for what was not translated or not filled in.
func TestStoriesInEveryLanguage(t *testing.T) {
	t.Parallel()
	s := newShop(t, change{})
	placeholder := regexp.MustCompile(`\{\d\}|%!`)
	for i, story := range stories {
		address := s.stored(t, "oslo12-story"+string(rune('a'+i/26))+string(rune('a'+i%26)), story.session)
		seen := map[string]string{}
		for _, language := range landing.Languages {
			b := s.browser()
			b.header.Set("Accept-Language", language)
			p := b.get(t, address)
			text := p.text()
			if !strings.Contains(p.body, `<html lang="`+language+`"`) || p.header.Get("Content-Language") != language {
				t.Errorf("%s: not in %s", story.name, language)
			}
			if found := placeholder.FindString(text); found != "" {
				t.Errorf("%s in %s: %s: %s", story.name, language, found, text)
			}
			for key := range landing.Texts["en"] {
				if strings.Contains(key, ".") && strings.Contains(text, key) {
					t.Errorf("%s in %s: text %s is missing", story.name, language, key)
				}
			}
			if other, ok := seen[text]; ok {
				t.Errorf("%s: %s reads as %s", story.name, language, other)
			}
			seen[text] = language
		}
	}
}
