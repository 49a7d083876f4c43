// What every Kubernetes controller written in Go is: a client-go informer that holds all pods. It is the peer of the
// watcher, and also what fills a cluster with pods and changes them.
//
//	informer KUBECONFIG hold                                prints "# held 10000", then a line for every restart it sees
//	informer KUBECONFIG list                                prints a line for every pod of kwok's
//	informer KUBECONFIG fill NODES PODS REGISTRY DIGEST     makes nodes for kwok, Deployments without replicas, and pods
//	informer KUBECONFIG change A_SECOND SECONDS             containers restart in place, so many a second; a line for each
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// Set by the linker.
var version = "unknown"

// How many requests are under way at once.
const writers = 24

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Println("informer, client-go", version)
		return
	}
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, words []string) error {
	usage := fmt.Errorf("usage: informer KUBECONFIG hold | list | fill NODES PODS REGISTRY DIGEST | change A_SECOND SECONDS")
	if len(words) < 2 {
		return usage
	}
	config, err := clientcmd.BuildConfigFromFlags("", words[0])
	if err != nil {
		return err
	}
	config.QPS = -1 // no limit of the client's own
	config.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	switch {
	case words[1] == "hold" && len(words) == 2:
		return hold(ctx, client)
	case words[1] == "list" && len(words) == 2:
		return list(ctx, client)
	case words[1] == "fill" && len(words) == 6:
		numbers, err := numbers(words[2:4])
		if err != nil {
			return err
		}
		return fill(ctx, client, numbers[0], numbers[1], words[4], words[5])
	case words[1] == "change" && len(words) == 4:
		numbers, err := numbers(words[2:4])
		if err != nil {
			return err
		}
		return change(ctx, client, numbers[0], numbers[1])
	default:
		return usage
	}
}

func numbers(words []string) ([]int, error) {
	var all []int
	for _, word := range words {
		number, err := strconv.Atoi(word)
		if err != nil || number < 1 {
			return nil, fmt.Errorf("%q is not a number of at least 1", word)
		}
		all = append(all, number)
	}
	return all, nil
}
