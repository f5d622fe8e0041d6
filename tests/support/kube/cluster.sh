#!/bin/bash
# A throw-away Kubernetes cluster on this machine, for tests.
#
#   cluster.sh start [--node] [DIR]   start one; DIR/kubeconfig is its administrator's
#   cluster.sh exec DIR CMD [ARG...]  run CMD where the cluster can be reached
#   cluster.sh load DIR TAR...        give its node container images (image.py makes them)
#   cluster.sh crash DIR PROGRAM      kill one of its programs; it comes back in a second
#   cluster.sh stop [DIR]             end it and remove DIR
#
# DIR, /tmp/kube-cluster unless said, is made by start and also holds a log per program.
# Plain: etcd, kube-apiserver, kube-controller-manager and kube-scheduler behind one free
# loopback port, as any user. Jobs get their pods, but there is no node to run them.
# With --node, as root: also containerd, kubelet, kube-proxy and coredns, so pods do run,
# with services and their names. The cluster then has network, process and mount namespaces
# of its own and no way out of them, so its kubeconfig works under `exec` only. What pods
# should reach, such as a Kafka broker, is started under `exec` and listens on 10.244.0.1.
set -euo pipefail
self=$(readlink -f "$0")
tools=${KUBE_TOOLS:-$("$(dirname "$self")/install.sh")}
PATH=$tools/bin:$PATH
node_ip=10.244.0.1 # the node's address, and the gateway of its pods

start() { # [--node] [DIR]
	local node='' dir port=6443 isolate=()
	if [ "${1:-}" = --node ]; then
		"$(dirname "$self")/install.sh" --node >/dev/null
		node=yes isolate=(unshare --net --mount --pid --uts --ipc --fork --kill-child --mount-proc)
		shift
	fi
	dir=$(readlink -m "${1:-/tmp/kube-cluster}")
	[ ! -e "$dir" ] || fail "$dir exists: is a cluster running there?"
	[ "$node" ] || port=$(free_port)
	mkdir -p "$dir"
	cd "$dir"
	credentials
	setsid "${isolate[@]}" "$self" inside "$dir" "$port" $node >start.log 2>&1 &
	echo $! >pid
	within 60 "$self" exec . kubectl get --raw /readyz
	within 30 "$self" exec . kubectl get configmap/kube-root-ca.crt serviceaccount/default
	if [ "$node" ]; then
		within 30 "$self" load . "$tools/pause.tar"
		within 60 "$self" exec . kubectl wait node node --for=condition=Ready --timeout=60s
	fi
	echo "$dir/kubeconfig"
}

inside() { # DIR PORT NODE: be the parent of the cluster's programs
	local port=$2 node=${3:-} place=(--bind-address=127.0.0.1 --endpoint-reconciler-type=none)
	cd "$1"
	if [ "$node" ]; then
		place=(--bind-address=0.0.0.0 "--advertise-address=$node_ip" --allow-privileged
			--kubelet-preferred-address-types=InternalIP)
		enter_node
	fi
	keep etcd --data-dir=etcd --unsafe-no-fsync --log-level=warn \
		--listen-client-urls=unix://etcd.sock:0 --advertise-client-urls=unix://etcd.sock:0 \
		--listen-peer-urls=unix://peer.sock:0
	keep kube-apiserver --etcd-servers=unix://etcd.sock:0 --secure-port="$port" "${place[@]}" \
		--tls-cert-file=server.crt --tls-private-key-file=server.key --token-auth-file=tokens.csv \
		--authorization-mode=Node,RBAC --service-cluster-ip-range=10.96.0.0/16 \
		--service-account-issuer=https://kubernetes.default.svc \
		--service-account-key-file=server.crt --service-account-signing-key-file=server.key
	keep kube-controller-manager --kubeconfig=controllers.kubeconfig --leader-elect=false --secure-port=0 \
		--root-ca-file=ca.crt --service-account-private-key-file=server.key \
		--use-service-account-credentials --kube-api-qps=200 --kube-api-burst=400
	keep kube-scheduler --kubeconfig=scheduler.kubeconfig --leader-elect=false --secure-port=0
	if [ "$node" ]; then
		keep containerd --config=containerd.toml
		keep kubelet --config=kubelet.yaml --kubeconfig=node.kubeconfig --hostname-override=node --node-ip=$node_ip
		keep kube-proxy --kubeconfig=proxy.kubeconfig --hostname-override=node --oom-score-adj=0 \
			--conntrack-max-per-core=0 --conntrack-tcp-timeout-established=0 --conntrack-tcp-timeout-close-wait=0
		keep coredns -conf=Corefile
	fi
	wait
}

keep() { # PROGRAM ARG...: run it, and again whenever it ends
	while :; do "$@" || sleep 0.5; done >"$1.log" 2>&1 &
}

credentials() { # a certificate authority, the server's certificate, and a token for each user
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
		-keyout ca.key -out ca.crt -subj /CN=test-ca
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -CA ca.crt -CAkey ca.key \
		-keyout server.key -out server.crt -subj /CN=kube-apiserver -addext basicConstraints=CA:FALSE \
		-addext "subjectAltName=DNS:localhost,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:10.96.0.1,IP:$node_ip"
	user kubeconfig admin system:masters
	user controllers.kubeconfig system:kube-controller-manager
	user scheduler.kubeconfig system:kube-scheduler
	user node.kubeconfig system:node:node system:nodes
	user proxy.kubeconfig system:kube-proxy
} 2>/dev/null

user() { # FILE NAME [GROUP]
	local token
	token=$(openssl rand -hex 16)
	echo "$token,$2,$2,${3:-}" >>tokens.csv
	cat >"$1" <<-END
		apiVersion: v1
		kind: Config
		clusters: [{name: test, cluster: {server: "https://127.0.0.1:$port", certificate-authority: "$dir/ca.crt"}}]
		users: [{name: $2, user: {token: $token}}]
		contexts: [{name: test, context: {cluster: test, user: $2}}]
		current-context: test
	END
}

enter_node() { # make these namespaces a node: its own network, /run, /var/lib and /var/log, a cgroup
	local place setting group
	group=/kube-test-$(stat -c %i .)
	mount --make-rshared /
	for place in run var/lib var/log; do
		mkdir -p "root/$place"
		mount --bind "root/$place" "/$place"
	done
	for setting in kernel/panic=10 kernel/panic_on_oops=1 vm/overcommit_memory=1; do
		echo "${setting#*=}" >"root/${setting//[\/=]/-}" # shown to the kubelet, which else sets the machine's
		mount --bind "root/${setting//[\/=]/-}" "/proc/sys/${setting%=*}"
	done
	for place in $(awk '$3 ~ /^cgroup2?$/ {print $2}' /proc/mounts); do mkdir -p "$place$group"; done
	ip link set lo up
	ip link add cni0 type bridge
	ip address add $node_ip/24 dev cni0
	ip link set cni0 up
	ip route add 10.96.0.0/16 dev cni0
	sysctl -qw net.ipv4.ip_forward=1
	mkdir cni
	cat >cni/pods.conflist <<-END
		{"cniVersion": "0.4.0", "name": "pods", "plugins": [
		  {"type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true, "ipam": {"type": "host-local",
		   "ranges": [[{"subnet": "10.244.0.0/24", "gateway": "$node_ip"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
		  {"type": "portmap", "capabilities": {"portMappings": true}}]}
	END
	cat >containerd.toml <<-END
		version = 2
		[plugins."io.containerd.grpc.v1.cri"]
		sandbox_image = "localhost/pause:1"
		restrict_oom_score_adj = true
		cni = {bin_dir = "/usr/lib/cni", conf_dir = "$PWD/cni"}
	END
	cat >kubelet.yaml <<-END
		apiVersion: kubelet.config.k8s.io/v1beta1
		kind: KubeletConfiguration
		containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
		cgroupDriver: cgroupfs
		cgroupRoot: $group
		failCgroupV1: false
		failSwapOn: false
		oomScoreAdj: 0
		authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
		authorization: {mode: AlwaysAllow}
		evictionHard: {memory.available: 50Mi, nodefs.available: 1%, imagefs.available: 1%}
		imageGCHighThresholdPercent: 100
		volumePluginDir: /var/lib/kubelet/plugins
		clusterDomain: cluster.local
		clusterDNS: [$node_ip]
		resolvConf: ""
	END
	cat >Corefile <<-END
		.:53 {
			errors
			kubernetes cluster.local {
				kubeconfig kubeconfig test
			}
		}
	END
	cat >resolv.conf <<-END
		nameserver $node_ip
		search default.svc.cluster.local svc.cluster.local cluster.local
		options ndots:5
	END
}

within() { # SECONDS CMD...: repeat CMD until it succeeds
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		if [ $SECONDS -ge $end ] || ! running; then fail "this never worked: $*; see $dir/*.log"; fi
		sleep 0.2
	done
}

running() { # whether the cluster is; $pid is then its first process, the leader of a process group
	pid=$(cat "$dir/pid" 2>/dev/null) && grep -qs cluster.sh "/proc/$pid/cmdline"
}

free_port() {
	local port
	while port=$((20000 + RANDOM % 10000)); do
		(: </dev/tcp/127.0.0.1/$port) 2>/dev/null || break
	done
	echo $port
}

fail() {
	echo "cluster.sh: $*" >&2
	exit 1
}

case ${1:-} in
start) start "${@:2}" ;;
inside) inside "${@:2}" ;;
exec | load | crash | stop)
	dir=$(readlink -m "${2:-/tmp/kube-cluster}")
	running || [ "$1" = stop ] || fail "no cluster runs in $dir"
	case $1 in
	exec)
		net=()
		[ ! -e "$dir/root" ] || net=(nsenter --target "$pid" --net unshare --mount
			bash -c 'mount --bind "$0" /etc/resolv.conf; exec "$@"' "$dir/resolv.conf")
		KUBECONFIG=$dir/kubeconfig exec "${net[@]}" "${@:3}"
		;;
	load)
		for tar in "${@:3}"; do
			nsenter --target "$pid" --mount ctr --namespace k8s.io images import - <"$tar"
		done
		;;
	crash) pkill -KILL -g "$pid" -f "^$3 " ;;
	stop)
		[ -d "$dir" ] || exit 0
		if running; then
			kill -KILL -- "-$pid"
			while pgrep -g "$pid" -r R,S,D >/dev/null; do sleep 0.1; done
		fi
		find /sys/fs/cgroup -depth -type d -path "*/kube-test-$(stat -c %i "$dir")*" -exec rmdir {} +
		rm -rf "$dir"
		;;
	esac
	;;
*) sed -n '2,/^set/s/^# \?//p' "$self" ;;
esac
