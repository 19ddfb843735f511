"""Makes the TorchScript archives of this folder and what they give. Run in it: python3 make_torchscript.py (PyTorch 1.13)."""
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(5)


class Block(nn.Module):
    """A residual block with a relu of its own, in place."""

    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        out = self.norm(self.conv(x))
        out += x
        return self.act(out)


class Classifier(nn.Module):
    """ReLU as a module, as a module in place, as a function and inside a branch; relu6 is none of them."""

    def __init__(self, act=F.relu):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.relu = nn.ReLU()
        self.block = Block(8)
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        h = self.relu(self.stem(x))
        h = self.block(h)
        if h.size(2) > 4:
            h = F.relu(F.avg_pool2d(h, 2) - 0.1)
        h = F.relu6(h)
        return self.fc(self.drop(h.mean((2, 3))))


def smooth(module, beta):
    """The same network with softplus in place of every ReLU: what the rewritten graph must compute."""
    for name, child in module.named_children():
        if isinstance(child, nn.ReLU):
            setattr(module, name, nn.Softplus(beta))
        smooth(child, beta)
    return module


class Noise(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, padding=1)
        self.time = nn.Linear(1, 6)
        self.label = nn.Embedding(4, 6)

    def forward(self, x, t, y):
        shift = self.time(t.to(x.dtype).unsqueeze(1) / 1000) + self.label(y)
        return self.conv(x) + shift.unsqueeze(2).unsqueeze(3)


class Denoised(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x, sigma):
        s = sigma.view(-1, 1, 1, 1)
        return x / (1 + s * s) + 0.1 * s / torch.sqrt(1 + s * s) * self.conv(x / torch.sqrt(1 + s * s))


def log_prob_gradient(net, x, y):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(F.log_softmax(net(x), 1).gather(1, y[:, None]).sum(), x)[0]


def main():
    from safetensors_writer import save
    expected = {}
    net = Classifier()
    for name, buffer in net.named_buffers():
        if "running_mean" in name:
            buffer.normal_(0, 0.2)
        elif "running_var" in name:
            buffer.uniform_(0.5, 1.5)
    net.eval()
    x = torch.randn(3, 3, 12, 12)
    y = torch.tensor([0, 3, 4])
    torch.jit.script(net).save("classifier_scripted.ts")
    torch.jit.trace(net, x).save("classifier_traced.ts")
    torch.jit.freeze(torch.jit.script(net)).save("classifier_frozen.ts")
    expected.update({"x": x, "y": y, "logits": net(x).detach(), "gradient": log_prob_gradient(net, x, y)})

    for beta in (3, 5):
        relu = F.relu
        smoothed = Classifier()
        smoothed.load_state_dict(net.state_dict())
        smooth(smoothed, beta).eval()
        F.relu = lambda value, inplace=False: F.softplus(value, beta)
        expected[f"logits_softplus{beta}"] = smoothed(x).detach()
        expected[f"gradient_softplus{beta}"] = log_prob_gradient(smoothed, x, y)
        F.relu = relu

    noise = Noise().eval()
    torch.jit.script(noise).save("noise.ts")
    t = torch.tensor([7, 500, 999])
    labels = torch.tensor([0, 3, 1])
    image = torch.randn(3, 3, 8, 8)
    denoised = Denoised().eval()
    torch.jit.script(denoised).save("denoised.ts")
    sigma = torch.tensor([0.1, 1.0, 20.0])
    expected.update({"image": image, "t": t, "labels": labels, "noise": noise(image, t, labels).detach(),
                     "sigma": sigma, "denoised": denoised(image, sigma).detach()})

    gelu = nn.Sequential(nn.Conv2d(3, 4, 3), nn.GELU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5)).eval()
    torch.jit.script(gelu).save("no_relu.ts")
    save("torchscript.safetensors", expected)


main()
