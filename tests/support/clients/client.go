// What a static Go program sees: it has a resolver and a dialler of its own, and no C library.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

// get prints what is answered at a URL.
func get(url string) error {
	answer, err := http.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	fmt.Println(string(body))
	return err
}

// service prints where the named port of a service is, which only DNS tells.
func service(port, name string) error {
	_, found, err := net.LookupSRV(port, "tcp", name)
	for _, each := range found {
		fmt.Println(each.Target, each.Port)
	}
	return err
}

func main() {
	for _, err := range []error{get(os.Args[1]), get(os.Args[2]), service("http", os.Args[3])} {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
