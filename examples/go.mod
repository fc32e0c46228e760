module github.com/vippsvending/vipps/examples

go 1.26.0

require (
	github.com/makiuchi-d/gozxing v0.1.1
	github.com/vippsvending/vipps v0.0.0
	rsc.io/qr v0.2.0
)

require (
	github.com/hashicorp/go-cleanhttp v0.5.2 // indirect
	github.com/hashicorp/go-retryablehttp v0.7.8 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/text v0.3.7 // indirect
	golang.org/x/xerrors v0.0.0-20200804184101-5ec99f83aff1 // indirect
)

replace github.com/vippsvending/vipps => ../
