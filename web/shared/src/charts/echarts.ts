/** The parts of ECharts that we use, and no others. A new kind of chart is registered here. */
import { BarChart, LineChart } from 'echarts/charts';
import { AriaComponent, DataZoomInsideComponent, GridComponent, MarkLineComponent, TooltipComponent } from 'echarts/components';
import { init, use as register } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

register([BarChart, LineChart, AriaComponent, DataZoomInsideComponent, GridComponent, MarkLineComponent, TooltipComponent, SVGRenderer]);

export { init };
