//! Windlass: runs Ansible-style playbooks over SSH.
