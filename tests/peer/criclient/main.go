// Asks a runtime's socket what a kubelet asks, with the kubelet's own client, and prints each answer as a line of JSON.
package main

import (
	"context"
	"encoding/json"
	"os"
	"time"

	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"
	client "k8s.io/cri-client/pkg"
)

type answer struct {
	Call  string `json:"call"`
	Value any    `json:"value"`
	Error string `json:"error"`
}

func main() {
	ctx := context.Background()
	service, err := client.NewRemoteRuntimeService(ctx, "unix://"+os.Args[1], 10*time.Second, nil, false)
	out := json.NewEncoder(os.Stdout)
	say := func(call string, value any, err error) {
		text := ""
		if err != nil {
			text = err.Error()
		}
		if err := out.Encode(answer{call, value, text}); err != nil {
			panic(err)
		}
	}
	if err != nil {
		say("connect", nil, err)
		os.Exit(1)
	}
	version, err := service.Version(ctx, "")
	say("version", version, err)
	status, err := service.Status(ctx, false)
	say("status", status.GetStatus(), err)
	filter := &runtime.PodSandboxFilter{
		State:         &runtime.PodSandboxStateValue{State: runtime.PodSandboxState_SANDBOX_READY},
		LabelSelector: map[string]string{"app": "web"},
	}
	ready, err := service.ListPodSandbox(ctx, filter)
	say("ready", ready, err)
	all, err := service.ListPodSandbox(ctx, nil)
	say("all", len(all), err)
	for _, id := range os.Args[2:] {
		box, err := service.PodSandboxStatus(ctx, id, false)
		say("status of "+id, box.GetStatus(), err)
		forward, err := service.PortForward(ctx, &runtime.PortForwardRequest{PodSandboxId: id, Port: []int32{80, 443}})
		say("forward to "+id, forward.GetUrl(), err)
	}
	exec, err := service.Exec(ctx, &runtime.ExecRequest{ContainerId: "c", Cmd: []string{"a", "b"}, Stdout: true})
	say("exec", exec.GetUrl(), err)
	_, err = service.RunPodSandbox(ctx, &runtime.PodSandboxConfig{}, "")
	say("run", nil, err)
}
