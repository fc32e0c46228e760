// Package contract holds the clients and the emulator of this module to the official OpenAPI documents.
//
// A [Transport] between a client and the emulator checks every request and every answer with a [Checker], more strictly than
// the documents ask for: a property or a header that a document does not know is a finding as well. Where the documents are
// wrong, or older than what Vipps MobilePay does, exceptions.go says so, one by one and with the reason, and an exception
// that nothing needs is a failure.
//
// The documents are not part of this module. The tests look for them in the folder that the environment variable VIPPS_SPECS
// names and are skipped without it; with VIPPS_SPECS_REQUIRED=1 they fail instead.
//
// To hold another API to its document, add a row to [Documents], calls to the tour in the tests, and what turns out to be
// different to exceptions.go.
package contract
