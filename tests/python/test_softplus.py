"""softplus_ where networks are computed twice, copied or compiled."""

import copy

import pytest
import torch
import torch.utils.checkpoint

import sextant

BETA = 3.0


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(8, 8)

    def forward(self, h):
        return torch.relu(self.linear(h))


class Net(torch.nn.Module):
    """`block` says how the blocks are called."""

    def __init__(self, block):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = torch.nn.Linear(5, 8), torch.nn.Linear(8, 3)
        self.blocks = torch.nn.Sequential(Block(), torch.nn.ReLU(), Block())
        self.block = block

    def forward(self, x):
        return self.last(self.block(self.blocks, torch.relu(self.first(x))))


def by_hand(net, x):
    def soft(h):
        return torch.nn.functional.softplus(h, beta=BETA)

    h = soft(net.blocks[0].linear(soft(net.first(x))))
    return net.last(soft(net.blocks[2].linear(soft(h))))


class Again(torch.autograd.Function):
    """A checkpoint of one's own."""

    @staticmethod
    def forward(ctx, function, h):
        ctx.function = function
        ctx.save_for_backward(h)
        return function(h)

    @staticmethod
    def backward(ctx, gradient):
        with torch.enable_grad():
            h = ctx.saved_tensors[0].detach().requires_grad_()
            return None, torch.autograd.grad(ctx.function(h), h, gradient)[0]


def checkpointed(function, h, reentrant):
    return torch.utils.checkpoint.checkpoint(function, h, use_reentrant=reentrant)


CALLED = {
    "once": lambda blocks, h: blocks(h),
    "module, reentrant": lambda blocks, h: checkpointed(blocks, h, True),
    "module": lambda blocks, h: checkpointed(blocks, h, False),
    "forward, reentrant": lambda blocks, h: checkpointed(blocks.forward, h, True),
    "forward": lambda blocks, h: checkpointed(blocks.forward, h, False),
    "function of modules, reentrant": lambda blocks, h: checkpointed(lambda v: blocks(v), h, True),
    "function of modules": lambda blocks, h: checkpointed(lambda v: blocks(v), h, False),
    "own": lambda blocks, h: Again.apply(blocks, h),
}


@pytest.mark.parametrize("called", CALLED)
def test_a_smoothed_network_under_checkpointing_has_its_own_gradient(called):
    net = sextant.softplus_(Net(CALLED[called]).eval(), BETA)
    twin = Net(None).eval()
    x = torch.randn(4, 5).requires_grad_()
    same = x.detach().clone().requires_grad_()
    expected = by_hand(twin, same)
    expected[:, 0].sum().backward()
    logits = net(x)
    logits[:, 0].sum().backward()
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-6)
    torch.testing.assert_close(x.grad, same.grad, rtol=0, atol=1e-6)
    if "reentrant" not in called:  # PyTorch has no autograd.grad() of these
        images = x.detach()[:, :, None, None]
        guided = sextant.Guide(lambda v: net(v.flatten(1)), "plain")(images, [0] * 4)
        wanted = sextant.Guide(lambda v: by_hand(twin, v.flatten(1)), "plain")(images, [0] * 4)
        torch.testing.assert_close(guided.gradient, wanted.gradient, rtol=0, atol=1e-6)
    sextant.softplus_(net, None)
    assert not torch.equal(net(x), logits) and type(net.blocks[0]) is Block


FUNCTIONS = {
    "reentrant": lambda blocks, h: checkpointed(lambda v: torch.relu(blocks(v)), h, True),
    "not reentrant": lambda blocks, h: checkpointed(lambda v: torch.relu(blocks(v)), h, False),
    "own": lambda blocks, h: Again.apply(lambda v: torch.relu(blocks(v)), h),
}


@pytest.mark.parametrize("called", FUNCTIONS)
def test_a_relu_that_would_come_back_in_the_backward_pass_is_refused(called):
    net = sextant.softplus_(Net(FUNCTIONS[called]).eval(), BETA)
    x = torch.randn(4, 5)
    with pytest.raises(sextant.UsageError, match="make it a module") as caught:
        net(x.requires_grad_())
    assert "\n" not in str(caught.value)
    if called == "not reentrant":
        with torch.no_grad():  # nothing comes back
            assert net(x).isfinite().all()


@torch.jit.script
def scripted(x):
    return torch.relu(x)


def test_torchscript_inside_a_network_is_refused_before_anything_is_changed():
    for relu in (torch.jit.script(torch.nn.ReLU()), torch.jit.trace(torch.nn.ReLU(), torch.zeros(2, 5))):
        net = torch.nn.Sequential(torch.nn.Linear(5, 5), torch.nn.Sequential(relu)).eval()
        with pytest.raises(sextant.UsageError, match=r"softplus_: '1\.0' is a TorchScript program, which cannot be"):
            sextant.softplus_(net, BETA)
        assert type(net) is torch.nn.Sequential
        assert sextant.softplus_(net, None) is net
        with pytest.raises(sextant.UsageError, match="softplus_: the network is a TorchScript program"):
            sextant.softplus_(relu, BETA)
    net = torch.nn.Linear(5, 5)
    net.activation = scripted
    with pytest.raises(sextant.UsageError, match="softplus_: 'activation' is a TorchScript program"):
        sextant.softplus_(net, BETA)


@pytest.mark.parametrize("layer", (torch.nn.RNN, torch.nn.RNNCell))
def test_a_relu_inside_a_fused_function_is_refused(layer):
    net = sextant.softplus_(torch.nn.Sequential(layer(5, 5, nonlinearity="relu")), BETA)
    with pytest.raises(sextant.UsageError, match="softplus_: rnn_relu.* has its ReLU inside"):
        net(torch.randn(4, 5))


class OfFunction(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = [function]

    def forward(self, x):
        return self.function[0](x)


def test_relus_are_smoothed_however_they_are_called():
    x = torch.randn(4, 5)
    soft = torch.nn.functional.softplus(x, beta=BETA)
    relu, aten = torch.nn.functional.relu, torch.ops.aten
    for function in (torch.relu, relu, torch.Tensor.relu, lambda v: torch.relu(input=v), lambda v: relu(v + 0, True),
                     lambda v: relu(input=v + 0, inplace=True), lambda v: torch.relu_(v + 0),
                     lambda v: torch.relu_(input=v + 0), lambda v: (v + 0).relu_(), aten.relu, aten.relu.default,
                     lambda v: aten.relu_(v + 0), lambda v: aten.relu_.default(v + 0)):  # fmt: skip
        assert torch.equal(sextant.softplus_(OfFunction(function), BETA)(x), soft)


def test_slices_and_copies_of_a_smoothed_network_are_smoothed():
    x = torch.randn(4, 5)
    net = sextant.softplus_(torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(5, 5)), BETA)
    soft = torch.nn.functional.softplus(x, beta=BETA)
    assert torch.equal(net[:1](x), soft)
    fx = pytest.importorskip("torch.fx")
    graph = fx.symbolic_trace(OfFunction(torch.relu))
    assert torch.equal(copy.deepcopy(sextant.softplus_(graph, BETA))(x), soft)
    # The innermost word counts.
    sextant.softplus_(net[0], 5)
    assert torch.equal(net(x), net[1](torch.nn.functional.softplus(x, beta=5)))
