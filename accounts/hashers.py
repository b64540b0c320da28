"""How passwords are kept."""

from concurrent.futures import ThreadPoolExecutor

from django.contrib.auth.hashers import Argon2PasswordHasher

THREADS = 2

# glibc keeps, for each thread's arena, a block of this size that was freed: hashed on the threads of the requests, 48
# sign-ins at once left the process with 260 MB more (measured), on these two with 50.
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")


class Argon2(Argon2PasswordHasher):
    """Argon2id with 19 MiB and two passes on one lane, which OWASP names as enough; 20 ms.

    Django's own takes 100 MiB and eight lanes. Anybody can have a password hashed, by typing one; here the same
    process shows the live floor, and must have the memory and the processor for it. Older hashes are renewed at the
    next sign-in.
    """

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        return _threads.submit(super().encode, password, salt).result()

    def verify(self, password: str, encoded: str) -> bool:
        return _threads.submit(super().verify, password, encoded).result()
