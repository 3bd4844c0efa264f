"""A calculator as a class, the style of the documents: sell what has grown beyond a share of the
portfolio.
"""

from steelyard import Candidate, Side, say
from steelyard.compat.modules import ModuleMetadata, OpportunityCalculator, opportunity_registry


class MyCustomCalculator(OpportunityCalculator):
    """Sell the part of a holding that is over a share of the portfolio."""

    @property
    def metadata(self):
        return ModuleMetadata(name="my_custom", version="1.0.0", author="Me", tags=["sell"])

    def default_params(self):
        return {"most": 0.25}

    async def calculate(self, context, params):
        over = {
            symbol: float(weight) - params["most"]
            for symbol, weight in zip(context.symbols, context.weights, strict=True)
        }
        return [
            Candidate(
                Side.SELL,
                symbol,
                (-excess,),
                1.0,
                say("{excess:pp} over {most:pct}", excess=excess, most=params["most"]),
            )
            for symbol, excess in over.items()
            if excess > 0
        ]


opportunity_registry.register(MyCustomCalculator())
