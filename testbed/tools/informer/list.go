package main

import (
	"bufio"
	"context"
	"fmt"
	"os"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// list says what runs by the API server's word:
//
//	<pod's uid> <restarts> <containerID>
func list(ctx context.Context, client kubernetes.Interface) error {
	pods, err := ofKwok(ctx, client)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	for _, pod := range pods {
		fmt.Fprintln(out, pod.UID, restarts(&pod), pod.Status.ContainerStatuses[0].ContainerID)
	}
	return out.Flush()
}

// ofKwok gives the pods that fill made and that run.
func ofKwok(ctx context.Context, client kubernetes.Interface) ([]core.Pod, error) {
	list, err := client.CoreV1().Pods("").List(ctx, meta.ListOptions{})
	if err != nil {
		return nil, err
	}
	var pods []core.Pod
	for _, pod := range list.Items {
		if pod.Annotations["testbed/digest"] != "" && len(pod.Status.ContainerStatuses) == 1 {
			pods = append(pods, pod)
		}
	}
	return pods, nil
}
