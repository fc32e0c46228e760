module github.com/vippsvending/vipps/examples

go 1.26.0

require github.com/vippsvending/vipps v0.0.0

replace github.com/vippsvending/vipps => ../
