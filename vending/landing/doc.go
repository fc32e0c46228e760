// Package landing is the pages that a customer's phone opens after scanning the sticker of a machine.
package landing
