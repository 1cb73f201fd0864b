"""JAX: fusions, loops, products and transforms that XLA compiles, some of them into command buffers."""


def make():
    import jax
    import jax.numpy as jnp
    import numpy as np
    x = jax.device_put(np.linspace(0, 1, 256 * 256, dtype=np.float32).reshape(256, 256))
    host = np.ones(5000, dtype=np.float32)

    @jax.jit
    def fused(a):
        return jnp.tanh(a * 2 + 1).sum(axis=0) / (1 + jnp.abs(a).mean())

    @jax.jit
    def product(a):
        return jax.nn.softmax(a @ a.T, axis=-1)

    @jax.jit
    def loop(a):
        return jax.lax.fori_loop(0, 6, lambda i, b: jnp.sin(b) @ a, a)
    slope = jax.jit(jax.grad(lambda a: jnp.square(jnp.cos(a) @ a).mean()))
    transform = jax.jit(lambda a: jnp.fft.rfft(a, axis=-1))
    ordered = jax.jit(lambda a: jnp.sort(a, axis=-1))

    def work():
        results = []
        for _ in range(4):
            results += [f(x) for f in (fused, product, loop, slope, transform, ordered)]
        results.append(jax.device_put(host))
        jax.block_until_ready(results)
        np.asarray(results[0]), np.asarray(results[-1])
    return work, lambda: None  # work() has waited for everything itself
