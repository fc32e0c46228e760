// Package vendingtest helps to test programs that sell with package vending: a machine that does what a test tells it to
// ([Machine]), a suite that every store must pass ([TestStore]), and a harness that kills a process at each of its effects and
// looks whether anything is stranded ([CrashEverywhere]).
//
// A sale at a machine that jams, with an emulator in the place of Vipps MobilePay and of the customer:
//
//	func TestJam(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			world := vippstest.Start(t, vippstest.Options{})
//			client, err := vipps.NewClient(vipps.Config{
//				Environment: vipps.Test,
//				Credentials: vipps.Credentials(world.Credentials()),
//				System:      vipps.System{Name: "acme-vend", Version: "1.0.0"},
//				BaseURL:     world.URL(),
//				HTTPClient:  &http.Client{Transport: world.Transport()},
//			})
//			if err != nil {
//				t.Fatal(err)
//			}
//			machine := new(vendingtest.Machine)
//			machine.Script(vendingtest.Jam)
//			operator, err := vending.NewOperator(vending.Config{Client: client, Machine: machine, Currency: vipps.NOK, TermsAcceptedElsewhere: true})
//			if err != nil {
//				t.Fatal(err)
//			}
//			session, err := operator.SellDynamicQR(t.Context(), vending.DynamicQROrder{
//				Machine: "oslo12", Products: []vending.Product{{Name: "Cola", Slot: "A1", Price: 2500}},
//			}, func(code vending.Code) {
//				if err := world.Approve(code.Session); err != nil {
//					t.Error(err)
//				}
//			})
//			if err != nil {
//				t.Fatal(err)
//			}
//			if session.Outcome.Result != vending.NotSold || session.Outcome.Released != 2500 || machine.Dropped("A1") != 0 {
//				t.Error(session.Summary())
//			}
//		})
//	}
//
// Within [testing/synctest] all waiting takes no time. Outside of it the test is the same, but it waits as the engine does: a
// capture whose answer is lost takes seconds, and a customer who does not approve the 90 seconds of Timeouts.Approve.
package vendingtest
