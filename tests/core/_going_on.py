"""A run that is saved, restored and goes on."""

import torch


def check_goes_on(make, before, after):
    """A run of ``make()`` restored after ``before`` steps is ``after`` steps later as if it had never been saved."""
    whole, part, rest = (make() for _ in range(3))
    whole.advance(before + after)
    part.advance(before)
    rest.load_state_bytes(part.state_bytes())
    rest.advance(after)
    for one, other in zip(whole.model.parameters(), rest.model.parameters(), strict=True):
        assert torch.equal(one, other)
