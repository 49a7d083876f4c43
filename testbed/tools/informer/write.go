package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	errors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

const (
	podsOfNamespace = 1000
	podsOfWorkload  = 10
	// As many repositories and tags.
	images = 20
	// One workload in so many names a tag alone.
	unpinnedOneIn = 10
)

// fill makes the objects. A Deployment without replicas owns the pods directly: no controller of the cluster makes or
// deletes them, and all of them have a workload that the garbage collector finds.
func fill(ctx context.Context, client kubernetes.Interface, nodes, pods int, registry, digest string) error {
	for node := range nodes {
		object := &core.Node{ObjectMeta: meta.ObjectMeta{
			Name:        nodeName(node),
			Annotations: map[string]string{"kwok.x-k8s.io/node": "fake", "node.alpha.kubernetes.io/ttl": "0"},
			Labels:      map[string]string{"kubernetes.io/hostname": nodeName(node)},
		}}
		object.Spec.Taints = []core.Taint{{Key: "testbed/kwok", Effect: core.TaintEffectNoSchedule}}
		if _, err := client.CoreV1().Nodes().Create(ctx, object, meta.CreateOptions{}); err != nil {
			return err
		}
	}
	for at := 0; at*podsOfNamespace < pods; at++ {
		object := &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: fmt.Sprintf("shop-%02d", at)}}
		if _, err := client.CoreV1().Namespaces().Create(ctx, object, meta.CreateOptions{}); err != nil {
			return err
		}
	}
	return atOnce((pods+podsOfWorkload-1)/podsOfWorkload, func(app int) error {
		first := app * podsOfWorkload
		namespace := fmt.Sprintf("shop-%02d", first/podsOfNamespace)
		image := fmt.Sprintf("%s/shop/app-%02d:1", registry, app%images)
		if app%unpinnedOneIn != 0 {
			image += "@" + digest
		}
		owner, err := deployment(ctx, client, namespace, app, image)
		if err != nil {
			return err
		}
		for pod := first; pod < min(first+podsOfWorkload, pods); pod++ {
			if err := create(ctx, client, owner, pod, nodes, image, digest); err != nil {
				return err
			}
		}
		return nil
	})
}

func nodeName(node int) string { return fmt.Sprintf("kwok-%02d", node) }

func deployment(ctx context.Context, client kubernetes.Interface, namespace string, app int, image string) (*apps.Deployment, error) {
	name := fmt.Sprintf("app-%04d", app)
	labels := map[string]string{"app": name}
	none := int32(0)
	object := &apps.Deployment{ObjectMeta: meta.ObjectMeta{Name: name}}
	object.Spec.Replicas = &none
	object.Spec.Selector = &meta.LabelSelector{MatchLabels: labels}
	object.Spec.Template.Labels = labels
	object.Spec.Template.Spec = podSpec(image)
	return client.AppsV1().Deployments(namespace).Create(ctx, object, meta.CreateOptions{})
}

func podSpec(image string) core.PodSpec {
	return core.PodSpec{Containers: []core.Container{{
		Name:  "main",
		Image: image,
		Env:   []core.EnvVar{{Name: "PORT", Value: "8080"}, {Name: "LOG_LEVEL", Value: "info"}},
		Ports: []core.ContainerPort{{ContainerPort: 8080}},
	}}}
}

func create(ctx context.Context, client kubernetes.Interface, owner *apps.Deployment, pod, nodes int, image, digest string) error {
	yes := true
	object := &core.Pod{ObjectMeta: meta.ObjectMeta{
		Name:        fmt.Sprintf("%s-%05d", owner.Name, pod),
		Labels:      owner.Spec.Template.Labels,
		Annotations: map[string]string{"testbed/digest": digest},
		OwnerReferences: []meta.OwnerReference{{
			APIVersion: "apps/v1", Kind: "Deployment", Name: owner.Name, UID: owner.UID, Controller: &yes,
		}},
	}}
	object.Spec = podSpec(image)
	object.Spec.NodeName = nodeName(pod % nodes)
	// The service account of a new namespace is there a moment later.
	for {
		_, err := client.CoreV1().Pods(owner.Namespace).Create(ctx, object, meta.CreateOptions{})
		if !errors.IsForbidden(err) {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// change restarts one container after the other in place, as a kubelet reports it: one PATCH of a pod's status each. Says
// when each was sent:
//
//	<pod's uid> <restarts> <milliseconds since 1970>
func change(ctx context.Context, client kubernetes.Interface, aSecond, seconds int) error {
	pods, err := ofKwok(ctx, client)
	if err != nil {
		return err
	}
	if len(pods) == 0 {
		return fmt.Errorf("no pod runs that could be changed")
	}
	begun := time.Now()
	var late time.Duration
	sent := make([]time.Time, aSecond*seconds)
	err = atOnce(aSecond*seconds, func(at int) error {
		due := begun.Add(time.Duration(at) * time.Second / time.Duration(aSecond))
		time.Sleep(time.Until(due))
		if at == aSecond*seconds-1 {
			late = time.Since(due)
		}
		sent[at] = time.Now()
		return restart(ctx, client, &pods[nth(at, len(pods))], at/len(pods)+1)
	})
	for at, when := range sent {
		fmt.Println(pods[nth(at, len(pods))].UID, at/len(pods)+1, when.UnixMilli())
	}
	fmt.Printf("# changed %d in %.1f s, the last %d ms late\n", aSecond*seconds, time.Since(begun).Seconds(), late.Milliseconds())
	return err
}

// nth is which pod is changed then: not one node's after the other, and each once in a round.
func nth(at, pods int) int {
	step := 7919
	if pods%step == 0 {
		step = 1 // a prime meets every pod, unless their number is a multiple of it
	}
	return (at % pods) * step % pods
}

func restart(ctx context.Context, client kubernetes.Interface, pod *core.Pod, restarts int) error {
	before := pod.Status.ContainerStatuses[0]
	now := meta.Now()
	ended := core.ContainerStateTerminated{
		ExitCode: 1, Reason: "Error", StartedAt: before.State.Running.StartedAt, FinishedAt: now, ContainerID: before.ContainerID,
	}
	after := before
	after.RestartCount = int32(restarts)
	after.ContainerID = fmt.Sprintf("containerd://%x", sha256.Sum256(fmt.Appendf(nil, "%s %d", pod.UID, restarts)))
	after.State.Running = &core.ContainerStateRunning{StartedAt: now}
	after.LastTerminationState.Terminated = &ended
	body, err := json.Marshal(map[string]any{"status": map[string]any{"containerStatuses": []core.ContainerStatus{after}}})
	if err != nil {
		return err
	}
	// One pod is never changed twice at once: the next round is all other pods later.
	pod.Status.ContainerStatuses[0] = after
	_, err = client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, body, meta.PatchOptions{}, "status")
	return err
}

// atOnce does numbered work, some of it at once, in order of the numbers; returns one of the errors.
func atOnce(count int, work func(int) error) error {
	numbers := make(chan int)
	failed := make(chan error, writers)
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for number := range numbers {
				if err := work(number); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	for number := range count {
		select {
		case numbers <- number:
		case err := <-failed:
			close(numbers)
			all.Wait()
			return err
		}
	}
	close(numbers)
	all.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}
