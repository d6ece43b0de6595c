# shellcheck shell=sh disable=SC2034,SC2154 # the files of this folder share their variables
# What a user may set, and where things are. Read by every lab command; prints nothing.

# The checkout, without a trailing slash. `lab_dir` is set by the command that sources us.
checkout=$(cd "$lab_dir/../.." && pwd)

# One lab. Its name is the first part of the names of its containers and of its network.
# A second lab needs another name and another subnet (the first three numbers of a /24).
lab_name=${WINDLASS_LAB_NAME:-lab1}
lab_subnet=${WINDLASS_LAB_SUBNET:-172.30.0}

# Node names: lbN, cpN, etcdN, wN, or others. The name decides the address: see node_address.
lab_nodes=${WINDLASS_LAB_NODES:-lb1 cp1 cp2 cp3 w1 w2 w3}

# What nodes are made from: `kubernetes`, or `python` (a server with Python and no Kubernetes).
lab_image=${WINDLASS_LAB_IMAGE:-kubernetes}

# The Kubernetes version that nodes start with. More may follow it, with a space between: nodes
# then have those too, in /opt/kubernetes, with their images.
lab_kubernetes=${WINDLASS_LAB_KUBERNETES:-1.37.2}

# Where today's versions come from: `release` (the published programs and images), `modules` (compiled here), or `auto`.
lab_kubernetes_from=${WINDLASS_LAB_KUBERNETES_FROM:-auto}

# The container runtime of nodes: `debian` (containerd 1.6) or `2.2.9`, which kubelet 1.36 and later need. Unless it is said,
# the versions of Kubernetes decide.
lab_containerd=${WINDLASS_LAB_CONTAINERD:-}

# A user's own Kubernetes versions, and a user's own image of a machine: see README.md.
lab_kubernetes_dir=${WINDLASS_LAB_KUBERNETES_DIR:-}
lab_machine_image=${WINDLASS_LAB_MACHINE_IMAGE:-}

# A Debian 12 image to start from, instead of one made from this machine's own mirror.
lab_base_image=${WINDLASS_LAB_BASE_IMAGE:-}

# What is built is kept here, outside the checkout: a fresh clone need not build it again.
lab_cache=${WINDLASS_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/windlass-lab}

# What belongs to one running lab (its SSH key, its host keys) is in the checkout, so that
# the inventory can name it with a relative path. git ignores the folder.
lab_state=$checkout/.cache/lab/$lab_name
