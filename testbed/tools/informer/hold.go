package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// hold keeps all pods as a controller does, and says when it saw a container restart:
//
//	<pod's uid> <restarts> <milliseconds since 1970>
//
// A count that goes back, which no kubelet reports, is said as "# back <pod's uid>".
func hold(ctx context.Context, client kubernetes.Interface) error {
	factory := informers.NewSharedInformerFactory(client, 0)
	pods := factory.Core().V1().Pods().Informer()
	var guard sync.Mutex
	out := bufio.NewWriter(os.Stdout)
	_, err := pods.AddEventHandler(cache.ResourceEventHandlerFuncs{
		UpdateFunc: func(before, after any) {
			now := time.Now().UnixMilli()
			pod := after.(*core.Pod)
			known := restarts(before.(*core.Pod))
			if known == restarts(pod) {
				return
			}
			guard.Lock()
			defer guard.Unlock()
			if known < restarts(pod) {
				fmt.Fprintln(out, pod.UID, restarts(pod), now)
			} else {
				fmt.Fprintln(out, "# back", pod.UID)
			}
			out.Flush()
		},
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	guard.Lock()
	fmt.Fprintln(out, "# held", len(pods.GetStore().ListKeys()))
	out.Flush()
	guard.Unlock()
	<-ctx.Done()
	return nil
}

func restarts(pod *core.Pod) int32 {
	if len(pod.Status.ContainerStatuses) == 0 {
		return 0
	}
	return pod.Status.ContainerStatuses[0].RestartCount
}
