// Package qr makes the codes that stand on machines, tills and screens.
package qr
