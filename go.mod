module github.com/vippsvending/vipps

go 1.26.0

require (
	github.com/google/go-cmp v0.7.0
	github.com/hashicorp/go-retryablehttp v0.7.8
	github.com/jarcoal/httpmock v1.4.2
	golang.org/x/sync v0.24.0
	pgregory.net/rapid v1.3.0
	rsc.io/qr v0.2.0
)

require github.com/hashicorp/go-cleanhttp v0.5.2 // indirect
