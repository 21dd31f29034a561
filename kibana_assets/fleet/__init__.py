"""Installing with Fleet: the package by upload, an agent policy with what the GPU host collects, enrolment."""
