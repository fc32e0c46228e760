/*
Package landing is the pages that a customer's phone opens after scanning the sticker of a machine: what it sells, what is
paid, and how it went. They are an http.Handler over package vending, in Norwegian, Danish, Finnish, Swedish and English.

	go operator.Run(ctx) // its ReturnURL is "https://acme.example/m/s/{token}"; wait for it to return before the store is closed

	site, err := landing.New(landing.Config{
		Operator: operator,
		Machine: func(ctx context.Context, name string) (landing.Machine, error) {
			if name != "oslo12" {
				return landing.Machine{}, vending.ErrNoMachine
			}
			return landing.Machine{Name: "Central station, platform 3", Door: vending.SiteSelection}, nil
		},
		Path:    "/m",
		Name:    "Acme Vending",
		Contact: landing.Contact{Phone: "+47 12 34 56 78"},
		Terms:   "https://acme.example/terms",
	})
	...
	mux.Handle("/m/", site)
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
	}
	server.RegisterOnShutdown(site.Close)

The sticker of the machine oslo12 then leads to https://acme.example/m/oslo12: make its code with package qr. Mount the site
with the slash at the end and without http.StripPrefix: it knows its Path, and its addresses begin with it.

# Pages

What the machine's page is depends on its door:

  - SiteSelection: the price list. The customer chooses products and how many, sees the total and pays.
  - SitePayment: what was chosen on the machine, as the machine reports it, and its price.
  - StaticQR: the most that will be reserved and one button; the customer then chooses on the machine. If something was
    chosen on it before, that and its exact price.

Pressing pay makes the payment and sends the phone to the app. Whatever browser it comes back in, the status page at
/s/{token} says how it is going: approve, choose, take the product, and in the end what was charged, released or refunded, or
whom to ask. It has buttons to continue in the app, to give up, and to be done with choosing.

All of it works without a script and without cookies; a script of a few lines adds up the total and keeps the pages up to date,
and a cookie for each machine lets the back button find the payment that is under way there.

# What is promised

  - Looking at a page opens no session and takes no machine, whoever looks: previews and prefetches do.
  - Nobody pays a price or a total that their page has not shown. What the browser sends is compared with the price list and
    not believed.
  - Pressing pay twice is one payment.
  - What a page says about money is what the session knows: "charged" and "released" are what the payment has shown, and what
    nobody knows is called so, with the reference and whom to ask.
  - No page has a phone number, a name of a customer or a code of Vipps MobilePay on it. The address of a status page is known
    to the customer alone; it goes to no other site, and no log of this package has it.
  - Nothing is fetched from anybody else, and no page can be framed, posted to from another site, or made to run a script of
    somebody else's.

# What the operator has to do

Serve it over https, with the timeouts above: a WriteTimeout of no less than a minute, which is how long a payment may take to
be made, and the three others, or connections that send nothing stay. Forms and pages that are kept up to date have deadlines
of their own. Give the [vending.Operator] a PageKey and a store that all processes share, and run it. Write terms of sale: the
customer accepts them by pressing pay, so that the operator may be told TermsAcceptedElsewhere.

Behind a proxy set Config.ClientAddress, or all customers share one limit; see there for what not to trust. Have the proxy pass
on the Host header, or browsers from before 2023 cannot pay: without Sec-Fetch-Site the origin of a form is compared with it.
It must not buffer answers of the type text/event-stream. Keep addresses under /s/ out of its logs.

[Limits] hold for one process. They keep one address from pressing for a whole fleet, and from having a machine for more than
about half of the time with purchases that it does not pay. They cannot keep somebody with many addresses from it, a minute
and a half at a time. [vending.ReplaceUnpaid] gives the next customer the machine after 20 seconds, and takes it from everybody
who needs longer than that to approve while somebody else presses.

Looking at a page asks for the machine, its price list and whether it is ready: keep those answers for a moment if they are
expensive.

# Templates

Config.Templates replaces templates by name: files at the root of the FS. They are html/template and are given a *[Page]:

	layout.html    defines "top", "bottom", "notice", "terms" and "contact", which the others begin and end with
	products.html  Page.Order: the price list, and what was chosen from it to be confirmed (Order.Review)
	payment.html   Page.Order: what was chosen on the machine; without products, that something has to be
	reserve.html   Page.Order: the maximum, or what was chosen on the machine before
	status.html    Page.Status
	problem.html   Page.Problem

"top" ends after the header, and "bottom" prints the footer with the contact. What is between is yours: <main>, the heading
(Page.Title) and the notice. Start from a copy of vending/landing/templates; the keys of the texts are in vending/landing/texts.

A form posts to Page.Address the fields visit, planogram, total, and for each product slot, price and quantity, as the
templates of this package do: what it names is what is compared. In products.html, buttons named step, of the values
"more A1", "less A1" and "change", change what is chosen without paying. [Page.Text] gives their texts and [Page.Money] writes amounts.
Parts of a page that change are marked data-part, and the script replaces them. Styles and scripts have to be files of your own
site; the policy of the pages refuses any others. A button with the artwork of Vipps MobilePay goes into the place of the one
with class "pay". [New] tries each template with all that it may meet.

https://developer.vippsmobilepay.com/docs/recommended-flows/vending-machines/
*/
package landing
