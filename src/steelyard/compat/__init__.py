"""The documents' names over ours: their Python runs here after one mapping of imports.

`IMPORTS` is that mapping and `translate` applies it to source text. `records` go in and out,
`convert` makes them what `planner.plan` takes, `configuration` is a view of a strategy, `planner`
puts the account's `repositories` around it. `stored` keeps configurations in a database, planners
of `instances` and `batch` go by them, `comparing` tells two apart, `calculations` keeps results.
`original` is the older planner, to compare with. `rebalancing` and `engines` are the rebalancer
plan's names. What changes nothing here is refused or warned of.

>>> import asyncio
>>> from steelyard.compat import process_planner_batch_job
>>> plan = asyncio.run(process_planner_batch_job())
>>> plan.steps[0].side, plan.steps[0].symbol, plan.warnings[1][:31]
('SELL', 'AAPL', 'No source of data is configured')
"""

from steelyard.buckets import SatelliteSettings
from steelyard.compat.batch import StoredBuckets
from steelyard.compat.breaker import CircuitBreaker
from steelyard.compat.calculations import (
    CalculationCache,
    cacheable,
    clear_expired,
    hash_context,
)
from steelyard.compat.comparing import ABTestRunner, ConfigurationDiffer
from steelyard.compat.configuration import (
    ConfigurationValidator,
    FiltersConfig,
    ModuleConfig,
    OpportunityCalculatorsConfig,
    PatternGeneratorsConfig,
    PlannerConfiguration,
    SequenceGeneratorsConfig,
    load_planner_config,
    load_planner_config_from_string,
    parse_toml_config,
)
from steelyard.compat.engines import (
    FeatureFlags,
    LegacyPortfolioRebalancerAdapter,
    RebalancerBehaviorValidator,
    RebalancerMonitor,
    RebalancingConfig,
    RebalancingConfigLoader,
    emergency_rollback_to_old_rebalancer,
    env_bool,
)
from steelyard.compat.events import (
    EMITTER,
    CalculatorFailureEvent,
    ConfigurationChangedEvent,
    PlannerEventEmitter,
    emit_event,
)
from steelyard.compat.factory import (
    BucketData,
    ModularPlannerFactory,
    PlannerFactoryService,
    configure,
    process_planner_batch_job,
)
from steelyard.compat.instances import (
    PlannerFactory,
    create_planner_for_bucket,
    migrate_existing_configs,
)
from steelyard.compat.logs import StructuredLogger
from steelyard.compat.modules import (
    CalculationModule,
    OpportunityCalculator,
    PatternGenerator,
    SequenceFilter,
    SequenceGenerator,
    filter_registry,
    get_module_by_name,
    opportunity_calculator_registry,
    opportunity_registry,
    pattern_generator_registry,
    sequence_generator_registry,
)
from steelyard.compat.names import IMPORTS, translate
from steelyard.compat.original import create_holistic_plan_original
from steelyard.compat.performance import PerformanceTracker
from steelyard.compat.planner import (
    HolisticPlanner,
    create_holistic_plan,
    create_holistic_plan_modular,
)
from steelyard.compat.plugins import PluginLoader
from steelyard.compat.rebalancing import (
    OrderDetails,
    PortfolioDisplay,
    PortfolioRebalancer,
    PortfolioRebalancingError,
    PositionAnalyzer,
    RebalanceCalculator,
    RebalanceOrchestrator,
    RebalancePlan,
    StrategyAttributionEngine,
    StrategyType,
    SymbolClassifier,
    calculate_rebalance_amounts,
)
from steelyard.compat.records import (
    HolisticPlan,
    HolisticStep,
    PlannerContext,
    PortfolioContext,
    Position,
    Security,
    build_minimal_context,
)
from steelyard.compat.repositories import ExchangeRateService, SettingsRepository, TradeRepository
from steelyard.compat.schemas import generate_param_schema, generate_toml_schema
from steelyard.compat.stored import (
    ConfigurationImportExport,
    ConfigurationManager,
    ConfigurationNotFoundError,
)
from steelyard.modules.registry import ModuleMetadata
from steelyard.rebalance import PositionDelta
from steelyard.telemetry.events import PlannerEvent

__all__ = [
    "EMITTER",
    "IMPORTS",
    "ABTestRunner",
    "BucketData",
    "CalculationCache",
    "CalculationModule",
    "CalculatorFailureEvent",
    "CircuitBreaker",
    "ConfigurationChangedEvent",
    "ConfigurationDiffer",
    "ConfigurationImportExport",
    "ConfigurationManager",
    "ConfigurationNotFoundError",
    "ConfigurationValidator",
    "ExchangeRateService",
    "FeatureFlags",
    "FiltersConfig",
    "HolisticPlan",
    "HolisticPlanner",
    "HolisticStep",
    "LegacyPortfolioRebalancerAdapter",
    "ModularPlannerFactory",
    "ModuleConfig",
    "ModuleMetadata",
    "OpportunityCalculator",
    "OpportunityCalculatorsConfig",
    "OrderDetails",
    "PatternGenerator",
    "PatternGeneratorsConfig",
    "PerformanceTracker",
    "PlannerConfiguration",
    "PlannerContext",
    "PlannerEvent",
    "PlannerEventEmitter",
    "PlannerFactory",
    "PlannerFactoryService",
    "PluginLoader",
    "PortfolioContext",
    "PortfolioDisplay",
    "PortfolioRebalancer",
    "PortfolioRebalancingError",
    "Position",
    "PositionAnalyzer",
    "PositionDelta",
    "RebalanceCalculator",
    "RebalanceOrchestrator",
    "RebalancePlan",
    "RebalancerBehaviorValidator",
    "RebalancerMonitor",
    "RebalancingConfig",
    "RebalancingConfigLoader",
    "SatelliteSettings",
    "Security",
    "SequenceFilter",
    "SequenceGenerator",
    "SequenceGeneratorsConfig",
    "SettingsRepository",
    "StoredBuckets",
    "StrategyAttributionEngine",
    "StrategyType",
    "StructuredLogger",
    "SymbolClassifier",
    "TradeRepository",
    "build_minimal_context",
    "cacheable",
    "calculate_rebalance_amounts",
    "clear_expired",
    "configure",
    "create_holistic_plan",
    "create_holistic_plan_modular",
    "create_holistic_plan_original",
    "create_planner_for_bucket",
    "emergency_rollback_to_old_rebalancer",
    "emit_event",
    "env_bool",
    "filter_registry",
    "generate_param_schema",
    "generate_toml_schema",
    "get_module_by_name",
    "hash_context",
    "load_planner_config",
    "load_planner_config_from_string",
    "migrate_existing_configs",
    "opportunity_calculator_registry",
    "opportunity_registry",
    "parse_toml_config",
    "pattern_generator_registry",
    "process_planner_batch_job",
    "sequence_generator_registry",
    "translate",
]
