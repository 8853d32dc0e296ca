"""What the interoperability tests drive: the server as a process, real browsers, real phones, and an ear for sound."""
