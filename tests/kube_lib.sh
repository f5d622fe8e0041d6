# Sourced behind lib.sh by scripts that need the operator in a Kubernetes cluster with a node, and Kafka beside it. Root.
# A script calls start_kube, and then what it needs of start_kube_broker, load_image and helm_install; all that ends with it.
# What runs inside of the cluster's network (kubectl, helm, fill, topics, dump and kafka_cli do) goes through in_kube.
# When a test has failed, $work/kube.log says what was in the cluster.
kube_dir=$work/kube
operator_namespace=kafka-backup-system
chart=$repo/deploy/helm/kafka-backup-operator
kube_tools=$("$support/kube/install.sh")/bin
export HELM_CACHE_HOME=$work/helm HELM_CONFIG_HOME=$work/helm HELM_DATA_HOME=$work/helm

in_kube() { PATH=$kube_tools:$PATH "$support/kube/cluster.sh" exec "$kube_dir" "$@"; } # COMMAND...
kubectl() { in_kube kubectl "$@"; }
helm() { in_kube helm "$@"; }

# ---- starting ----------------------------------------------------------------------------------------------

start_kube() { "$support/kube/cluster.sh" start --node "$kube_dir" >/dev/null; }

# A broker that pods and `in_kube` reach at $bootstrap.
start_kube_broker() { # OPTIONS OF kafka.sh start...
	broker=$work/kafka
	mkdir -p "$broker"
	echo "$broker" >>"$work/brokers"
	in_kube "$support/kafka.sh" start "$broker" --version "$KAFKA_VERSION" --port 19092 \
		--set listeners=PLAINTEXT://0.0.0.0:19092,CONTROLLER://127.0.0.1:19093 \
		--set advertised.listeners=PLAINTEXT://10.244.0.1:19092 "$@" >/dev/null
	bootstrap=10.244.0.1:19092
}

# Gives the node the image kafka-backup-operator:test with the programs under test.
load_image() {
	"$support/image.sh" "$work/image.tar" "$build" >"$work/image.log" 2>&1
	"$support/kube/cluster.sh" load "$kube_dir" "$work/image.tar" >>"$work/image.log"
	rm "$work/image.tar"
}

# A namespace that enforces Pod Security "restricted", ready for pods.
make_namespace() { # NAME
	kubectl create namespace "$1"
	kubectl label namespace "$1" pod-security.kubernetes.io/enforce=restricted
	wait_for 60 "the service account of $1" kubectl --namespace "$1" get serviceaccount/default configmap/kube-root-ca.crt
}

# Installs the operator from the chart and waits until it is ready.
helm_install() { # OPTIONS...
	kubectl get namespace "$operator_namespace" >/dev/null 2>&1 || make_namespace "$operator_namespace"
	helm install kafka-backup-operator "$chart" --namespace "$operator_namespace" \
		--set image.repository=kafka-backup-operator --set image.tag=test "$@"
	kubectl --namespace "$operator_namespace" rollout status deployment/kafka-backup-operator --timeout=120s
}

# ---- volumes -----------------------------------------------------------------------------------------------

folder_of_claim() { echo "$work/claims/$1/$2"; } # NAMESPACE NAME

# A volume that waits for the claim: a folder of this machine, which may be there already, with data.
make_volume() { # NAMESPACE NAME [FOLDER]
	local folder=${3:-$(folder_of_claim "$1" "$2")}
	mkdir -p "$folder"
	chmod 777 "$folder"
	kubectl apply -f - <<-Y
		apiVersion: v1
		kind: PersistentVolume
		metadata: {name: "$1-$2"}
		spec:
		  capacity: {storage: 1Ti}
		  accessModes: [ReadWriteOnce, ReadWriteMany]
		  persistentVolumeReclaimPolicy: Retain
		  storageClassName: ""
		  claimRef: {namespace: "$1", name: "$2"}
		  hostPath: {path: "$folder"}
	Y
}

# A claim with its volume.
make_claim() { # NAMESPACE NAME [FOLDER]
	make_volume "$@"
	kubectl apply -f - <<-Y
		apiVersion: v1
		kind: PersistentVolumeClaim
		metadata: {name: "$2", namespace: "$1"}
		spec: {storageClassName: "", accessModes: [ReadWriteMany], resources: {requests: {storage: 1Gi}}}
	Y
}

# ---- resources ---------------------------------------------------------------------------------------------

apply() { kubectl --namespace "$1" apply --validate=strict -f "${2:--}"; }            # NAMESPACE [FILE]
field() { kubectl --namespace "$1" get "$2" -o "jsonpath={$3}"; }                     # NAMESPACE KIND/NAME .PATH
condition() { field "$1" "$2" ".status.conditions[?(@.type==\"$3\")]$4"; }            # NAMESPACE KIND/NAME TYPE .FIELD
wait_phase() { wait_field "$1" "$2" .status.phase "$3" "${4:-120}"; }                 # NAMESPACE KIND/NAME PHASE [SECONDS]
wait_field() { # NAMESPACE KIND/NAME .PATH VALUE [SECONDS]
	kubectl --namespace "$1" wait "$2" --for="jsonpath={$3}=$4" --timeout="${5:-120}s" ||
		fail "$2 of $1 has no $3=$4: $(kubectl --namespace "$1" get "$2" -o yaml)"
}
wait_condition() { # NAMESPACE KIND/NAME CONDITION[=VALUE] [SECONDS]
	kubectl --namespace "$1" wait "$2" --for=condition="$3" --timeout="${4:-120}s" ||
		fail "$2 of $1 has no condition $3: $(kubectl --namespace "$1" get "$2" -o yaml)"
}

# Ends as soon as it is known: a run that fails will not be complete.
wait_complete() { # NAMESPACE KIND/NAME [SECONDS]
	wait_for "${3:-120}" "the end of $2" has_ended "$1" "$2"
	wait_condition "$1" "$2" Complete 1
}
has_ended() { case $(field "$1" "$2" '.status.conditions[?(@.status=="True")].type') in *Complete* | *Failed*) ;; *) return 1 ;; esac; }

# Names of what belongs to a resource.
jobs_of() { # NAMESPACE KIND/NAME
	kubectl --namespace "$1" get jobs -l "kafka.oso.sh/owner-uid=$(field "$1" "$2" .metadata.uid)" --sort-by=.metadata.creationTimestamp -o name
}
pods_of() { # NAMESPACE KIND/NAME
	kubectl --namespace "$1" get pods -l "kafka.oso.sh/owner-uid=$(field "$1" "$2" .metadata.uid)" --sort-by=.metadata.creationTimestamp -o name
}
# A line for each event of a resource: type, reason, message.
events_of() { # NAMESPACE KIND/NAME
	kubectl --namespace "$1" get events --field-selector "involvedObject.uid=$(field "$1" "$2" .metadata.uid)" \
		-o 'jsonpath={range .items[*]}{.type} {.reason} {.message}{"\n"}{end}'
}
# Events come behind the status that they are about.
wait_event() { wait_for 60 "the event '$3' of $2" has_event "$@"; } # NAMESPACE KIND/NAME PIECE
has_event() { (contains "$(events_of "$1" "$2")" "$3"); }

# What the operator's pod serves, such as /metrics.
operator_page() { # PATH
	local pod
	pod=$(kubectl --namespace "$operator_namespace" get pods -l app.kubernetes.io/component=controller \
		--field-selector=status.phase=Running -o 'jsonpath={.items[0].metadata.name}')
	kubectl get --raw "/api/v1/namespaces/$operator_namespace/pods/$pod:8080/proxy$1"
}

# Each test has a namespace of its own with a claim; the topics of a test begin with the namespace's name.
home() { # NAMESPACE [fill SCENARIO AND OPTIONS...]
	make_namespace "$1"
	make_claim "$1" kafka-backups
	[ $# = 1 ] || fill "${@:2}" --prefix "$1-"
}

# Notes what the topics hold that a backup is to hold.
capture() { dump --prefix "$1" --isolation read_committed --output source.dump; } # PREFIX
records_in() { grep -c '^R' "$1"; }                                               # DUMP

# ---- what people do ----------------------------------------------------------------------------------------

annotate() { kubectl --namespace "$1" annotate --overwrite "${@:2}"; }                # NAMESPACE KIND/NAME KEY=VALUE...
patch_spec() { kubectl --namespace "$1" patch "$2" --type=merge -p "{\"spec\":$3}"; } # NAMESPACE KIND/NAME JSON
run_now() { annotate "$1" "$2" "kafka.oso.sh/run-now=$3"; }                           # NAMESPACE KIND/NAME TOKEN
# ... and waits for the end of that run.
run_again() { run_now "$@" && wait_field "$1" "$2" .status.lastRunNow "$3" && wait_condition "$1" "$2" Progressing=False; }

# ---- what is to be seen ------------------------------------------------------------------------------------

expect_jobs() { eq "$3" "$(jobs_of "$1" "$2" | wc -l)" "Jobs of $2"; }                            # NAMESPACE KIND/NAME NUMBER
has_jobs() { [ "$(jobs_of "$1" "$2" | wc -l)" = "$3" ]; }                                         # NAMESPACE KIND/NAME NUMBER
job_field() { kubectl --namespace "$1" get "$(jobs_of "$1" "$2" | tail -1)" -o "jsonpath={$3}"; } # NAMESPACE KIND/NAME .PATH
has_condition() { [ -n "$(condition "$1" "$2" "$3" .status)" ]; }                                 # NAMESPACE KIND/NAME TYPE
reason_is() { [ "$(condition "$1" "$2" "$3" .reason)" = "$4" ]; }                                 # NAMESPACE KIND/NAME TYPE REASON
another_backup() { [ "$(field "$1" "$2" .status.backupId)" != "$3" ]; }                           # NAMESPACE KIND/NAME ID
failed_because() { # NAMESPACE KIND/NAME REASON PIECE-OF-MESSAGE
	eq "Failed False $3" "$(field "$1" "$2" .status.phase) $(condition "$1" "$2" Ready .status) $(condition "$1" "$2" Ready .reason)" "$2"
	contains "$(condition "$1" "$2" Ready .message)" "$4"
	contains "$(field "$1" "$2" .status.message)" "$4"
}

# ---- Kafka, as seen from inside ----------------------------------------------------------------------------

fill() { in_kube "$tools/kafka_fill" "$bootstrap" "$@"; }
topics() { in_kube "$tools/kafka_topics" "$bootstrap" "$@"; }
dump() { in_kube "$tools/kafka_dump" "$bootstrap" "$@"; }
kafka_cli() { in_kube "$support/kafka.sh" cli --version "$KAFKA_VERSION" "$@"; }

# ---- leaving -----------------------------------------------------------------------------------------------

kube_report() {
	kubectl get kb,kr,kor,korb,kbv,jobs,pods,pvc,pv,events --all-namespaces -o wide
	kubectl get kb,kr,jobs,pods --all-namespaces -o yaml
	kubectl --namespace "$operator_namespace" logs -l app.kubernetes.io/component=controller --tail=-1
}

on_leave() {
	[ "${all_passed:-0}" = 1 ] || kube_report >"$work/kube.log" 2>&1 || true
	"$support/kube/cluster.sh" stop "$kube_dir"
}

# ---- continuous backups ------------------------------------------------------------------------------------

continuous_yaml() { # NAME TOPICS [MORE LINES OF spec]
	backup_yaml "$1" "$2" "restorePointIntervalSecs: 2
${3:-}" | sed 's/stopAtCurrentOffsets: true/continuous: true/'
}
point() { field "$1" "$2" .status.backupId; }                                                # NAMESPACE KIND/NAME
has_newer_point() { local now; now=$(point "$1" "$2"); [ -n "$now" ] && [ "$now" != "$3" ]; } # ... POINT
point_holds() { # NAMESPACE KIND/NAME TOPIC
	"$KAFKA_BACKUP" describe "$(point "$1" "$2")" --archive "$(folder_of_claim "$1" kafka-backups)/$1/${2#*/}" | grep -q "$3"
}
