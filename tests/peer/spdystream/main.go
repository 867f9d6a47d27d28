// A SPDY/3.1 peer made of moby/spdystream, which Kubernetes' own servers and clients use.
//
//	spdystream server         listens on loopback, prints its port, serves one connection: echoes every stream, or does
//	                          what its header "mode" says (reset, refuse, ping)
//	spdystream client PORT N  opens N streams at once, each with bytes of its own that have to come back; then pings,
//	                          says goodbye and prints "ok"
package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/moby/spdystream"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func main() {
	if os.Args[1] == "server" {
		server()
		return
	}
	count, err := strconv.Atoi(os.Args[3])
	check(err)
	client(os.Args[2], count)
}

func server() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	socket, err := listener.Accept()
	check(err)
	connection, err := spdystream.NewConnection(socket, true)
	check(err)
	connection.Serve(func(stream *spdystream.Stream) { serve(connection, stream) })
	fmt.Println("gone")
}

func serve(connection *spdystream.Connection, stream *spdystream.Stream) {
	if stream.Headers().Get("mode") == "refuse" {
		check(stream.Refuse())
		return
	}
	check(stream.SendReply(http.Header{}, false))
	// The handler runs on the reader's behalf: it must not wait.
	go func() {
		switch stream.Headers().Get("mode") {
		case "reset":
			check(stream.Reset())
		case "ping":
			_, err := connection.Ping()
			check(err)
			_, err = stream.Write([]byte("pong"))
			check(err)
			check(stream.Close())
		default:
			// Fails when the other side has reset the stream, which is its right.
			if _, err := io.Copy(stream, stream); err == nil {
				stream.Close()
			}
		}
	}()
}

func client(port string, count int) {
	socket, err := net.Dial("tcp", "127.0.0.1:"+port)
	check(err)
	connection, err := spdystream.NewConnection(socket, false)
	check(err)
	go connection.Serve(spdystream.NoOpStreamHandler)
	var all sync.WaitGroup
	for n := 0; n < count; n++ {
		all.Add(1)
		go func() {
			defer all.Done()
			exchange(connection, n)
		}()
	}
	all.Wait()
	_, err = connection.Ping()
	check(err)
	check(connection.Close())
	fmt.Println("ok")
}

func exchange(connection *spdystream.Connection, n int) {
	headers := http.Header{"Streamtype": {"data"}, "Port": {"80"}, "Requestid": {strconv.Itoa(n)}}
	stream, err := connection.CreateStream(headers, nil, false)
	check(err)
	check(stream.WaitTimeout(30 * time.Second))
	sent := bytes.Repeat([]byte(fmt.Sprintf("stream %d ", n)), 100)
	_, err = stream.Write(sent)
	check(err)
	check(stream.Close())
	got, err := io.ReadAll(stream)
	check(err)
	if !bytes.Equal(got, sent) {
		check(fmt.Errorf("stream %d: sent %d bytes, %d other ones came back", n, len(sent), len(got)))
	}
}
