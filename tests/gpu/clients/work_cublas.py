"""cuBLAS and cuBLASLt: products of many shapes and types, one launch or several each."""
TORCH = True


def make():
    import torch
    F = torch.nn.functional
    types = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
    squares = {t: torch.randn(256, 256, device="cuda").to(t) for t in types}
    batch = torch.randn(8, 128, 256, device="cuda", dtype=torch.bfloat16)
    bias = torch.randn(256, device="cuda", dtype=torch.bfloat16)
    vector = torch.randn(256, device="cuda")

    def work():
        for t, square in squares.items():
            for rows in (1, 8, 64, 256):
                square[:rows] @ square
        square = squares[torch.bfloat16]
        torch.bmm(batch, batch.transpose(1, 2)), F.linear(batch, square, bias)
        torch.addmm(vector, squares[torch.float32], squares[torch.float32])
        squares[torch.float32] @ vector, torch.dot(vector, vector)
        torch.linalg.solve_triangular(squares[torch.float32].triu(), vector[:, None], upper=True)
    return work, torch.cuda.synchronize
